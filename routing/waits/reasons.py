"""The reasons why a conversation waits, in words and as data: a pure function (R97, R98).

Only ``decisions.obstacles`` decides what stops an agent; this module finds the words, in the active
language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from routing.decisions import BlockReason, Obstacle, obstacles
from routing.moments import clock
from routing.waits.cases import Case, Fill, Stopped, has, is_barred, nearest, skill_names
from routing.waits.remedies import remedies

BLINK = timedelta(seconds=5)
"""A push takes milliseconds. To wait longer beside a free agent is a fault (R98)."""


@dataclass(frozen=True, slots=True)
class WaitReason:
    """One thing that stops an agent, as a code for programs and as text."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agent and what stops them; with no reasons they could take it now."""

    agent_id: int
    name: str
    reasons: tuple[WaitReason, ...]

    @property
    def is_able(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to "why is this conversation waiting?".

    ``remedies`` say what would end the wait. ``is_fault``: an agent is free and it still waits, for
    longer than a push takes.
    """

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
    """Explain who could take the conversation, what stops each of them, and what would free it."""
    stopped = [(agent, obstacles(agent.view, case.need)) for agent in case.people]
    able = [agent.name for agent, in_the_way in stopped if not in_the_way]
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
                agent.view.agent_id,
                agent.name,
                tuple(WaitReason(one.kind.value, _reason(one, case)) for one in in_the_way),
            )
            for agent, in_the_way in sorted(stopped, key=nearest)
        ),
        remedies=tuple(remedies(case, stopped, is_fault=is_fault)),
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


# --- As text ----------------------------------------------------------------------------------


def _summary(case: Case, stopped: Sequence[Stopped], able: list[str], *, is_fault: bool) -> str:
    if able:
        text = (
            ngettext(
                "%(names)s could take it, but it is still waiting. This is an error.",
                "%(names)s could take it, but it is still waiting. This is an error.",
                len(able),
            )
            if is_fault
            else ngettext(
                "%(names)s can take it. It is being pushed now.",
                "%(names)s can take it. It is being pushed now.",
                len(able),
            )
        )
        return text % {"names": ", ".join(able)}
    if case.is_assigned:
        return _assigned_summary(case, stopped)
    members = [
        in_the_way
        for _agent, in_the_way in stopped
        if not has(in_the_way, BlockReason.NOT_A_MEMBER)
    ]
    if members and all(has(in_the_way, BlockReason.DEACTIVATED) for in_the_way in members):
        return _(
            "All members of the group %(group)s have deactivated accounts. No one can take it."
        ) % {"group": case.group}
    if not members:
        return _("The group %(group)s has no members. No one can take it.") % {"group": case.group}
    if not case.need.is_open:
        return _("The group %(group)s is closed%(until)s.") % {
            "group": case.group,
            "until": _until(case.need.opens_at, case),
        }
    counted = Counter(_main(in_the_way, case).kind for in_the_way in members)
    parts = [_count(kind, counted[kind], case) for kind in BlockReason if counted[kind]]
    return _("No one in the group %(group)s can take it at the moment: %(parts)s.") % {
        "group": case.group,
        "parts": ", ".join(parts),
    }


def _assigned_summary(case: Case, stopped: Sequence[Stopped]) -> str:
    for agent, in_the_way in stopped:
        if agent.view.agent_id == case.need.agent_id:
            reasons = ", ".join(_reason(one, case) for one in in_the_way)
            if is_barred(in_the_way):
                return _(
                    "%(name)s can no longer take it (%(reasons)s). It is returning to its group."
                ) % {
                    "name": agent.name,
                    "reasons": reasons,
                }
            return _("It is assigned to %(name)s: %(reasons)s.") % {
                "name": agent.name,
                "reasons": reasons,
            }
    return _("It is assigned to an agent who no longer exists.")


def _main(in_the_way: Sequence[Obstacle], case: Case) -> Obstacle:
    """Return the main obstacle of an agent: the one that must change first."""
    order = (
        BlockReason.DEACTIVATED,
        BlockReason.READS_ONLY,
        BlockReason.LACKS_SKILL,
        BlockReason.NO_SLOTS,
        BlockReason.OFFLINE,
        BlockReason.UNAVAILABLE,
        BlockReason.FULL,
    )
    return min(in_the_way, key=lambda one: order.index(one.kind) if one.kind in order else -1)


def _count(kind: BlockReason, n: int, case: Case) -> str:
    values = {"n": n, "channel": case.channel, "skills": skill_names(case.need.skill_ids, case)}
    match kind:
        case BlockReason.LACKS_SKILL:
            text = ngettext("%(n)d without %(skills)s", "%(n)d without %(skills)s", n)
        case BlockReason.DEACTIVATED:
            text = ngettext(
                "%(n)d with a deactivated account", "%(n)d with deactivated accounts", n
            )
        case BlockReason.READS_ONLY:
            text = ngettext("%(n)d with a read-only role", "%(n)d with read-only roles", n)
        case BlockReason.NO_SLOTS:
            text = ngettext(
                "%(n)d without slots on %(channel)s", "%(n)d without slots on %(channel)s", n
            )
        case BlockReason.OFFLINE:
            text = ngettext("%(n)d offline", "%(n)d offline", n)
        case BlockReason.UNAVAILABLE:
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
        "skills": skill_names(obstacle.skill_ids, case),
        "held": obstacle.held,
        "slots": obstacle.slots,
    }
    match obstacle.kind:
        case BlockReason.OF_SOMEBODY_ELSE:
            return _("assigned to another agent")
        case BlockReason.DEACTIVATED:
            return _("account deactivated")
        case BlockReason.READS_ONLY:
            return _("has a read-only role")
        case BlockReason.OTHER_WEBSITE:
            return _("no longer has access to this website")
        case BlockReason.NOT_A_MEMBER:
            return _("not a member of the group %(group)s") % values
        case BlockReason.GROUP_CLOSED:
            return _("group closed%(until)s") % values
        case BlockReason.LACKS_SKILL:
            return (
                ngettext(
                    "lacks the skill %(skills)s",
                    "lacks the skills %(skills)s",
                    len(obstacle.skill_ids),
                )
                % values
            )
        case BlockReason.OFFLINE:
            return _("offline")
        case BlockReason.NO_SLOTS:
            return _("no slots on %(channel)s") % values
        case BlockReason.UNAVAILABLE:
            return _("unavailable on %(channel)s") % values
        case BlockReason.FULL:
            return _("full %(held)d/%(slots)d") % values


def _rank(case: Case) -> str:
    if case.is_assigned:
        if case.rank == 1:
            return _("next of the conversations assigned to this agent")
        text = _("number %(n)d of the conversations assigned to this agent")
        return text % {"n": case.rank}
    if case.rank == 1:
        return _("next in line")
    before = case.rank - 1
    return ngettext(
        "number %(rank)d in line, after one other",
        "number %(rank)d in line, after %(n)d others",
        before,
    ) % {"rank": case.rank, "n": before}


def _until(moment: datetime | None, case: Case) -> str:
    if moment is None:
        return ""
    text = pgettext("closed", " until %(moment)s")
    return text % {"moment": clock(moment, case.at, case.zone)}
