"""The conversations behind the board's figures: all that are in a state now, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from conversations.lifecycle.transitions import WAITING, Status
from conversations.models import Conversation
from reporting.board.scope import Seen, View
from reporting.figures.registry import Text

RELEASABLE = frozenset({Status.ACTIVE, Status.ASSIGNED})
REASSIGNABLE = WAITING | {Status.ACTIVE}


@dataclass(frozen=True, slots=True)
class State:
    name: Text
    statuses: frozenset[Status]
    nothing: Text


STATES: dict[str, State] = {
    "waiting": State(_("Waiting"), frozenset(WAITING), _("No conversations waiting.")),
    "assigned": State(_("Assigned"), frozenset({Status.ASSIGNED}), _("No assigned conversations.")),
    "active": State(_("On desks"), frozenset({Status.ACTIVE}), _("No conversations on a desk.")),
    "snoozed": State(
        _("Snoozed conversations"), frozenset({Status.SNOOZED}), _("No snoozed conversations.")
    ),
    "pending": State(_("Pending"), frozenset({Status.PENDING}), _("No pending conversations.")),
    "on_hold": State(_("On hold"), frozenset({Status.ON_HOLD}), _("No conversations on hold.")),
    "solved": State(
        _("Solved, not closed"),
        frozenset({Status.SOLVED}),
        _("No solved conversations waiting to close."),
    ),
    "bot": State(_("With a bot"), frozenset({Status.BOT}), _("No conversations with a bot.")),
}


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a state. ``since`` is when it entered the state, or its rank while it
    waits; ``until`` is its deadline."""

    number: int
    status: Text
    visitor: str
    tint: int
    website: str
    group: str
    agent: str
    since: datetime
    until: datetime | None
    is_kept: bool
    is_return: bool
    is_held: bool
    may_wake: bool
    may_release: bool
    may_reassign: bool


def conversations_in(state: State, user: User, view: View) -> QuerySet[Conversation]:
    """Return the conversations in a state, the longest in it first."""
    rows = Seen.by(user, view).conversations().filter(status__in=state.statuses)
    first = F("queued_at") if state.statuses <= WAITING else F("moved_at")
    return rows.select_related("visitor", "website", "group", "agent", "agent__presence").order_by(
        first.asc(nulls_last=True), "pk"
    )


def rows(rows: Iterable[Conversation]) -> list[ConversationRow]:
    return [row_of(row) for row in rows]


def row_of(row: Conversation) -> ConversationRow:
    """Build the line of a conversation. What is on a connected agent's desk stays there (C21)."""
    status = Status(row.status)
    seen = getattr(row.agent, "presence", None)
    is_held = status == Status.ACTIVE and seen is not None and seen.is_connected
    return ConversationRow(
        number=row.pk,
        status=row.get_status_display(),
        visitor=row.visitor.shown_name,
        tint=row.visitor.tint,
        website=row.website.name,
        group=str(row.group or ""),
        agent=str(row.agent or ""),
        since=(row.queued_at if status in WAITING else None) or row.moved_at,
        until=row.deadline_at,
        is_kept=row.is_kept,
        is_return=row.is_return,
        is_held=is_held,
        may_wake=status == Status.SNOOZED,
        may_release=status in RELEASABLE and not is_held,
        may_reassign=status in REASSIGNABLE and not is_held,
    )
