"""The waiting conversations on the board: the longest first, with those that should not wait (R97,
R98)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations.lifecycle.transitions import WAITING, Status
from reporting.board.scope import Seen
from routing import repairs
from routing.repairs import Repairs
from routing.waits import queries

LIMIT = 25
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting conversation. Why it waits is requested one at a time. ``until``: when an
    assignment expires (R90)."""

    number: int
    visitor: str
    tint: int
    holder: str
    is_assigned: bool
    is_return: bool
    since: datetime
    until: datetime | None
    is_fault: bool
    may_reassign: bool = True

    @property
    def may_release(self) -> bool:
        return self.is_assigned


@dataclass(frozen=True, slots=True)
class Waits:
    """The longest waits, and how many ``more`` are not shown. ``faults`` are conversations for
    which an agent has been free for longer than a push takes, ``repairs`` what the sweep had to
    push in the last 24 hours. ``look_again``: an agent is free for one, but it is not yet known for
    how long."""

    longest: tuple[Waiting, ...]
    more: int
    faults: tuple[int, ...]
    look_again: bool
    repairs: Repairs


def of(seen: Seen, *, total: int, at: datetime) -> Waits:
    """Return what waits at ``at`` within the reader's scope, ``total`` in number."""
    mine = seen.conversations()
    faults, look_again = queries.faults(mine, at=at)
    rows = mine.filter(status__in=WAITING).select_related("visitor", "group", "agent")
    longest = tuple(
        Waiting(
            number=row.pk,
            visitor=row.visitor.shown_name,
            tint=row.visitor.tint,
            holder=str((row.agent if row.status == Status.ASSIGNED else row.group) or ""),
            is_assigned=row.status == Status.ASSIGNED,
            is_return=row.is_return,
            since=row.queued_at or row.moved_at,
            until=row.deadline_at if row.status == Status.ASSIGNED else None,
            is_fault=row.pk in faults,
        )
        for row in rows.order_by("queued_at", "pk")[:LIMIT]
    )
    return Waits(
        longest=longest,
        more=max(total - len(longest), 0),
        faults=tuple(faults),
        look_again=look_again,
        repairs=repairs.of(
            seen.websites, seen.overseen(group="conversation__group"), since=at - DAY
        ),
    )
