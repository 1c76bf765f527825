"""The events of a conversation as lines between its messages: by whom, and when (C68).

The ledger is read with the page's fragment, which is fetched again after a move; messages are sent
and shown without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.moments import moment
from conversations.lifecycle.transitions import EndReason, Status, Verb
from conversations.models import ActorKind, Event
from routing.models import Fault

AT_ONCE = timedelta(seconds=2)
"""A push to the same agent that follows an assignment so soon adds nothing new."""

ICONS: dict[Verb, str] = {
    Verb.ESCALATE: "users",
    Verb.PUSH: "inbox",
    Verb.TAKE: "inbox",
    Verb.TRANSFER_TO_GROUP: "arrow-right-left",
    Verb.TRANSFER_TO_AGENT: "arrow-right-left",
    Verb.EXPIRE: "timer",
    Verb.RELEASE: "undo-2",
    Verb.REQUEUE: "undo-2",
    Verb.DROP_SKILLS: "star",
    Verb.SNOOZE: "alarm-clock",
    Verb.WAKE_TO_AGENT: "bell-ring",
    Verb.WAKE_TO_GROUP: "bell-ring",
    Verb.SET_PENDING: "hourglass",
    Verb.SET_ON_HOLD: "circle-pause",
    Verb.SOLVE: "circle-check-big",
    Verb.REOPEN: "bell-ring",
    Verb.REOPEN_TO_GROUP: "bell-ring",
    Verb.UNASSIGN: "users",
    Verb.TAKE_BACK: "undo-2",
    Verb.CLOSE: "circle-check-big",
    Verb.IMPORT: "inbox",
}
"""The verbs that are shown. The beginning of a conversation is shown by its first message."""

IN_HISTORY = frozenset(
    {
        *(Verb.TRANSFER_TO_GROUP, Verb.TRANSFER_TO_AGENT, Verb.EXPIRE, Verb.RELEASE, Verb.REQUEUE),
        *(Verb.SNOOZE, Verb.WAKE_TO_AGENT, Verb.WAKE_TO_GROUP),
        *(Verb.REOPEN, Verb.REOPEN_TO_GROUP, Verb.UNASSIGN, Verb.TAKE_BACK),
    }
)
"""What an agent should read first (R135): pauses, and moves between desks."""

TURNS = 6


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event: ``by`` acted, ``to`` has it since, ``from_`` had it before. Names, or empty.
    ``source`` is the product that an imported conversation comes from, ``reason`` its id there."""

    pk: int
    verb: Verb
    at: datetime
    kind: str
    by: str = ""
    to: str = ""
    from_: str = ""
    group: str = ""
    until: datetime | None = None
    reason: str = ""
    source: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.verb]

    @property
    def sentence(self) -> str:
        """What happened and by whom, in the reader's language."""
        match self.verb:
            case Verb.SNOOZE | Verb.SET_PENDING | Verb.SET_ON_HOLD | Verb.SOLVE | Verb.CLOSE:
                text = _rests(self)
            case Verb.WAKE_TO_AGENT | Verb.WAKE_TO_GROUP | Verb.REOPEN | Verb.REOPEN_TO_GROUP:
                text = _comes_back(self)
            case Verb.IMPORT:
                text = _("Imported from %(source)s, where its number is %(number)s")
            case Verb.TAKE_BACK:
                text = _("Taken back by %(by)s")
            case Verb.EXPIRE | Verb.RELEASE | Verb.REQUEUE | Verb.DROP_SKILLS | Verb.UNASSIGN:
                text = _goes_back(self)
            case _:
                text = _is_handed_on(self)
        return text % {
            "by": self.by or _("someone"),
            "to": self.to,
            "from": self.from_,
            "group": self.group,
            "until": moment(timezone.localtime(self.until)) if self.until else "",
            "fault": dict(Fault.choices).get(self.reason, ""),
            "source": self.source,
            "number": self.reason,
        }


def _rests(line: TimelineEntry) -> str:
    if line.verb == Verb.SNOOZE:
        if line.to:
            return _("Snoozed by %(by)s until %(until)s, kept by %(to)s")
        return _("Snoozed by %(by)s until %(until)s, returns to %(group)s")
    if line.verb == Verb.SET_PENDING:
        return _("Set to pending by %(by)s")
    if line.verb == Verb.SET_ON_HOLD:
        return _("Put on hold by %(by)s")
    if line.verb == Verb.SOLVE:
        return _("Solved by %(by)s")
    if line.reason == EndReason.BLOCKED:
        return _("Visitor blocked and conversation closed by %(by)s")
    if line.by:
        return _("Closed by %(by)s")
    if line.kind == ActorKind.VISITOR:
        return _("Closed by the visitor")
    return _("Closed by the bot") if line.kind == ActorKind.BOT else _("Closed automatically")


def _comes_back(line: TimelineEntry) -> str:
    if line.verb in {Verb.REOPEN, Verb.REOPEN_TO_GROUP}:
        is_answered = line.kind == ActorKind.VISITOR
        return _("Reopened: the visitor replied") if is_answered else _("Resumed by %(by)s")
    if line.kind == ActorKind.VISITOR:
        return _("Snooze ended: the visitor replied")
    if line.kind == ActorKind.SYSTEM:
        is_kept = line.verb == Verb.WAKE_TO_AGENT
        return _("Snooze expired") if is_kept else _("Snooze expired, returned to the team")
    return _("Snooze ended by %(by)s")


def _goes_back(line: TimelineEntry) -> str:
    if line.verb == Verb.DROP_SKILLS:
        return _("No agent with the skill was free in time: anyone in %(group)s can take it")
    if line.verb == Verb.UNASSIGN:
        return _("Returned to %(group)s: %(from)s can no longer take it")
    if line.verb == Verb.EXPIRE:
        return _("Not taken in time by %(from)s: returned to the queue of %(group)s")
    if line.verb == Verb.REQUEUE:
        return _("Not answered in time by %(from)s: returned to the queue of %(group)s")
    if line.by:
        return _("Released from %(from)s by %(by)s: returned to the queue of %(group)s")
    return _("Released because %(from)s lost the connection: returned to the queue of %(group)s")


def _is_handed_on(line: TimelineEntry) -> str:
    if line.verb == Verb.TRANSFER_TO_AGENT:
        return _("Transferred to %(to)s by %(by)s")
    if line.verb == Verb.TRANSFER_TO_GROUP:
        return _("Transferred to %(group)s by %(by)s")
    if line.verb == Verb.ESCALATE:
        if line.reason:
            return _("Handed over to %(group)s, because the bot did not answer: %(fault)s")
        return _("Handed over by the bot to %(group)s")
    return _("Taken by %(to)s") if line.verb == Verb.TAKE else _("On the desk of %(to)s")


def entries_of(conversation_id: int) -> list[TimelineEntry]:
    """Return the events of a conversation that are shown, oldest first; two queries."""
    events = Event.objects.filter(conversation=conversation_id).select_related("agent", "group")
    lines = list(events.order_by("id"))
    return entries_for(lines, names_of(lines))


def names_of(events: Iterable[Event]) -> dict[int, str]:
    """Return the names of the users who acted, by id; one query."""
    return names_of_users(event.actor_user_id for event in events)


def names_of_users(ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names that colleagues use for users, by id; one query."""
    people = {one for one in ids if one is not None}
    users = User.objects.filter(pk__in=people).select_related("agent") if people else []
    return {user.pk: _name_of(user) for user in users}


def _name_of(user: User) -> str:
    """Return the name that colleagues use for a user; managers may have no desk."""
    desk = getattr(user, "agent", None)
    name: str = desk.display_name if desk else user.get_full_name() or user.username
    return name


def last_turns(lines: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Return the latest lines for the history beside the dialogue, oldest first."""
    return [line for line in lines if line.verb in IN_HISTORY][-TURNS:]


def entries_for(events: Iterable[Event], names: dict[int, str]) -> list[TimelineEntry]:
    """Return the lines for events in their order; ``names`` of the users who acted, by id."""
    lines: list[TimelineEntry] = []
    before: Event | None = None
    for event in events:
        verb = Verb(event.verb)
        if verb in ICONS and not (before is not None and _only_follows(event, before)):
            lines.append(
                TimelineEntry(
                    event.pk,
                    verb,
                    event.at,
                    event.actor_kind,
                    by=names.get(event.actor_user_id or 0, ""),
                    to=event.agent.display_name if event.agent else "",
                    from_=before.agent.display_name if before and before.agent else "",
                    group=event.group.name if event.group else "",
                    until=event.deadline_at,
                    reason=_reason(event),
                    source=event.data.get("source", "") if verb == Verb.IMPORT else "",
                )
            )
        before = event
    return lines


def _reason(event: Event) -> str:
    if event.verb == Verb.IMPORT:
        return str(event.data["id"])
    return str(event.data.get("end_reason", "") or event.data.get("reason", ""))


def _only_follows(event: Event, before: Event) -> bool:
    """Return whether a push only carries out the event before: an assignment to this agent."""
    return (
        event.verb == Verb.PUSH
        and before.to_status == Status.ASSIGNED
        and before.agent_id == event.agent_id
        and event.at - before.at <= AT_ONCE
    )
