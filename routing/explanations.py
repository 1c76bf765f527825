"""Why a conversation waits, in words and as data: a pure function of plain data (R97, R98).

What stops an agent is said by ``decisions.obstacles`` alone; this module only finds the words, in
the language that is active.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from routing.decisions import AgentView, Hindrance, Need, Obstacle, obstacles
from routing.moments import at_moment, clock

BARS = frozenset({Hindrance.DEACTIVATED, Hindrance.OTHER_WEBSITE})
"""What an agent cannot mend: nothing that they do would bring them the conversation."""

BLINK = timedelta(seconds=5)
"""A push takes milliseconds. Who waits beside a free agent for longer waits by a fault (R98)."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A queue: ``places`` is ``None`` where a group without a queue was handed conversations."""

    rule: str
    group: str
    places: int | None
    waiting: int
    returned: int


@dataclass(frozen=True, slots=True)
class Person:
    """An agent by name, as the channel sees him."""

    name: str
    view: AgentView


@dataclass(frozen=True, slots=True)
class Case:
    """A waiting conversation and all that decides who can take it, at ``at``.

    ``rank`` is its place among what waits for the same group (or the same agent) on its channel;
    ``people`` the members of the group, and others of the website who could only not because they
    are no members; for an assigned one its agent. ``deadline_at`` ends its assignment or its wait
    for a skill. ``free_since`` is since when somebody has been seen free beside it.
    """

    number: int
    at: datetime
    zone: tzinfo
    need: Need
    channel: str
    group: str
    fill: Fill
    rank: int
    waits_since: datetime
    is_return: bool = False
    people: Sequence[Person] = ()
    skills: Mapping[int, str] = field(default_factory=dict)
    deadline_at: datetime | None = None
    free_since: datetime | None = None

    @property
    def is_assigned(self) -> bool:
        return self.need.agent_id is not None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stops an agent, as a code for programs and in words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agent and what stops him; nothing: he could take it now."""

    agent_id: int
    name: str
    reasons: tuple[Reason, ...]

    @property
    def is_able(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to "why is this conversation waiting?". ``remedies`` say what would end it;
    ``is_fault``: an agent is free and it still waits, and not for the blink of a push."""

    number: int
    status: str
    summary: str
    rank: int
    rank_text: str
    waits_since: datetime
    fill: Fill
    fill_text: str
    candidates: tuple[Candidate, ...]
    remedies: tuple[str, ...]
    is_fault: bool
    deadline_at: datetime | None
    time_left: timedelta | None


def explain(case: Case) -> Explanation:
    """Say who could take the conversation, what stops each of them, and what would free it."""
    stopped = [(person, obstacles(person.view, case.need)) for person in case.people]
    able = [person.name for person, found in stopped if not found]
    is_fault = bool(able) and case.free_since is not None and case.at - case.free_since >= BLINK
    return Explanation(
        number=case.number,
        status="assigned" if case.is_assigned else "queued",
        summary=_summary(case, stopped, able, is_fault=is_fault),
        rank=case.rank,
        rank_text=_rank(case),
        waits_since=case.waits_since,
        fill=case.fill,
        fill_text=fill_text(case.fill),
        candidates=tuple(
            Candidate(
                person.view.agent_id,
                person.name,
                tuple(Reason(one.kind.value, _reason(one, case)) for one in found),
            )
            for person, found in sorted(stopped, key=_nearest)
        ),
        remedies=tuple(_remedies(case, stopped, is_fault=is_fault)),
        is_fault=is_fault,
        deadline_at=case.deadline_at,
        time_left=max(case.deadline_at - case.at, timedelta()) if case.deadline_at else None,
    )


def fill_text(fill: Fill) -> str:
    """ "103/100, 3 returned" (C16)."""
    text = str(fill.waiting) if fill.places is None else f"{fill.waiting}/{fill.places}"
    if not fill.returned:
        return text
    returned = ngettext("%(n)d returned", "%(n)d returned", fill.returned) % {"n": fill.returned}
    return f"{text}, {returned}"


Stopped = tuple[Person, tuple[Obstacle, ...]]


def _nearest(stopped: Stopped) -> tuple[bool, int, str]:
    """Who could take it first, then who is stopped by least; strangers to the group last."""
    person, found = stopped
    is_stranger = any(one.kind == Hindrance.NOT_A_MEMBER for one in found)
    return is_stranger, len(found), person.name.lower()


# --- In words ---------------------------------------------------------------------------------


def _summary(case: Case, stopped: Sequence[Stopped], able: list[str], *, is_fault: bool) -> str:
    if able:
        text = (
            ngettext(
                "%(names)s could take it, and it still waits: this is a fault.",
                "%(names)s could take it, and it still waits: this is a fault.",
                len(able),
            )
            if is_fault
            else ngettext(
                "%(names)s can take it: it is being given just now.",
                "%(names)s can take it: it is being given just now.",
                len(able),
            )
        )
        return text % {"names": ", ".join(able)}
    if case.is_assigned:
        return _assigned_summary(case, stopped)
    members = [found for _person, found in stopped if not _has(found, Hindrance.NOT_A_MEMBER)]
    if members and all(_has(found, Hindrance.DEACTIVATED) for found in members):
        return _(
            "All members of the group %(group)s have deactivated accounts: nobody can take it."
        ) % {"group": case.group}
    if not members:
        return _("The group %(group)s has no members: nobody can take it.") % {"group": case.group}
    if not case.need.is_open:
        return _("The group %(group)s is closed%(until)s.") % {
            "group": case.group,
            "until": _until(case.need.opens_at, case),
        }
    counted = Counter(_main(found, case).kind for found in members)
    parts = [_count(kind, counted[kind], case) for kind in Hindrance if counted[kind]]
    return _("Nobody in the group %(group)s can take it now: %(parts)s.") % {
        "group": case.group,
        "parts": ", ".join(parts),
    }


def _assigned_summary(case: Case, stopped: Sequence[Stopped]) -> str:
    for person, found in stopped:
        if person.view.agent_id == case.need.agent_id:
            reasons = ", ".join(_reason(one, case) for one in found)
            if _barred(found):
                return _(
                    "%(name)s may not have it (%(reasons)s): it is going back to its group."
                ) % {
                    "name": person.name,
                    "reasons": reasons,
                }
            return _("It is assigned to %(name)s: %(reasons)s.") % {
                "name": person.name,
                "reasons": reasons,
            }
    return _("It is assigned to an agent who is not there any more.")


def _main(found: Sequence[Obstacle], case: Case) -> Obstacle:
    """What stops an agent most: what must change first for him to be of use."""
    order = (
        Hindrance.DEACTIVATED,
        Hindrance.LACKS_SKILL,
        Hindrance.NO_SLOTS,
        Hindrance.OFFLINE,
        Hindrance.UNAVAILABLE,
        Hindrance.FULL,
    )
    return min(found, key=lambda one: order.index(one.kind) if one.kind in order else -1)


def _count(kind: Hindrance, n: int, case: Case) -> str:
    values = {"n": n, "channel": case.channel, "skills": _skills(case.need.skill_ids, case)}
    match kind:
        case Hindrance.LACKS_SKILL:
            text = ngettext("%(n)d without %(skills)s", "%(n)d without %(skills)s", n)
        case Hindrance.DEACTIVATED:
            text = ngettext(
                "%(n)d with a deactivated account", "%(n)d with deactivated accounts", n
            )
        case Hindrance.NO_SLOTS:
            text = ngettext(
                "%(n)d without slots on %(channel)s", "%(n)d without slots on %(channel)s", n
            )
        case Hindrance.OFFLINE:
            text = ngettext("%(n)d offline", "%(n)d offline", n)
        case Hindrance.UNAVAILABLE:
            text = ngettext(
                "%(n)d unavailable on %(channel)s", "%(n)d unavailable on %(channel)s", n
            )
        case _:
            text = ngettext("%(n)d full", "%(n)d full", n)
    return text % values


def _reason(obstacle: Obstacle, case: Case) -> str:
    values = {
        "group": case.group,
        "channel": case.channel,
        "until": _until(obstacle.until, case),
        "skills": _skills(obstacle.skill_ids, case),
        "held": obstacle.held,
        "slots": obstacle.slots,
    }
    match obstacle.kind:
        case Hindrance.OF_SOMEBODY_ELSE:
            return _("it is assigned to somebody else")
        case Hindrance.DEACTIVATED:
            return _("account deactivated")
        case Hindrance.OTHER_WEBSITE:
            return _("no access to this website any more")
        case Hindrance.NOT_A_MEMBER:
            return _("not a member of the group %(group)s") % values
        case Hindrance.GROUP_CLOSED:
            return _("group closed%(until)s") % values
        case Hindrance.LACKS_SKILL:
            return (
                ngettext(
                    "lacks the skill %(skills)s",
                    "lacks the skills %(skills)s",
                    len(obstacle.skill_ids),
                )
                % values
            )
        case Hindrance.OFFLINE:
            return _("offline")
        case Hindrance.NO_SLOTS:
            return _("no slots on %(channel)s") % values
        case Hindrance.UNAVAILABLE:
            return _("unavailable on %(channel)s") % values
        case Hindrance.FULL:
            return _("full %(held)d/%(slots)d") % values


def _rank(case: Case) -> str:
    if case.is_assigned:
        if case.rank == 1:
            return _("next of what is assigned to this agent")
        text = _("number %(n)d of what is assigned to this agent")
        return text % {"n": case.rank}
    if case.rank == 1:
        return _("next in line")
    before = case.rank - 1
    return ngettext(
        "number %(rank)d in line, after one other",
        "number %(rank)d in line, after %(n)d others",
        before,
    ) % {"rank": case.rank, "n": before}


def _remedies(case: Case, stopped: Sequence[Stopped], *, is_fault: bool) -> list[str]:
    if any(not found for _person, found in stopped):
        if not is_fault:
            return []
        return [
            _("The safety sweep gives it out within ten seconds, and counts it as a repair."),
            _("If it stays, tell whoever runs this installation: manage.py check_invariants."),
        ]
    found = _deadline_remedy(case)
    if case.is_assigned:
        found += [
            line
            for person, stops in stopped
            if person.view.agent_id == case.need.agent_id and (line := _remedy(person, stops, case))
        ]
        return [*found, _("A manager releases it: it goes back to its group.")]
    if not case.need.is_open:
        if case.need.opens_at is None:
            return [*found, _("The group %(group)s gets opening hours.") % {"group": case.group}]
        moment = at_moment(case.need.opens_at, case.at, case.zone)
        text = _("The group %(group)s opens %(moment)s.")
        return [*found, text % {"group": case.group, "moment": moment}]
    # Who is nearest first; three are enough to act on.
    nearest = sorted(stopped, key=_nearest)
    lines = [line for person, stops in nearest if (line := _remedy(person, stops, case))]
    if not lines and all(_barred(stops) for _person, stops in stopped):
        lines = [_("Somebody becomes a member of the group %(group)s.") % {"group": case.group}]
    return [*found, *lines[:3]]


def _deadline_remedy(case: Case) -> list[str]:
    if case.deadline_at is None:
        return []
    values = {"moment": at_moment(case.deadline_at, case.at, case.zone), "group": case.group}
    if case.is_assigned:
        return [_("At the latest %(moment)s it goes back to the group %(group)s.") % values]
    return [_("From then on, any member of the group may take it: %(moment)s.") % values]


def _remedy(person: Person, found: Sequence[Obstacle], case: Case) -> str:
    """What one agent would have to do; empty where more than two things stop them, or where they
    may not have it at all."""
    if _barred(found):
        return ""
    steps = [_step(one, person, case) for one in found if one.kind != Hindrance.GROUP_CLOSED]
    return (
        ""
        if len(steps) > 2
        else _("%(name)s %(steps)s.")
        % {
            "name": person.name,
            "steps": _(" and ").join(steps),
        }
    )


def _step(obstacle: Obstacle, person: Person, case: Case) -> str:
    values = {
        "group": case.group,
        "channel": case.channel,
        "skills": _skills(obstacle.skill_ids, case),
    }
    match obstacle.kind:
        case Hindrance.OFFLINE:
            return pgettext("an agent", "opens the desk")
        case Hindrance.UNAVAILABLE:
            return pgettext("an agent", "becomes available on %(channel)s") % values
        case Hindrance.FULL:
            return pgettext("an agent", "ends or sets aside a conversation, or gets a slot more")
        case Hindrance.NO_SLOTS:
            return pgettext("an agent", "gets slots on %(channel)s") % values
        case Hindrance.LACKS_SKILL:
            return pgettext("an agent", "gets %(skills)s") % values
        case _:
            return pgettext("an agent", "becomes a member of the group %(group)s") % values


def _skills(ids: frozenset[int], case: Case) -> str:
    return ", ".join(sorted(case.skills.get(pk, f"#{pk}") for pk in ids))


def _until(moment: datetime | None, case: Case) -> str:
    if moment is None:
        return ""
    text = pgettext("closed", " until %(moment)s")
    return text % {"moment": clock(moment, case.at, case.zone)}


def _barred(found: Sequence[Obstacle]) -> bool:
    return any(one.kind in BARS for one in found)


def _has(found: Sequence[Obstacle], kind: Hindrance) -> bool:
    return any(one.kind == kind for one in found)
