"""Agents' contacts and availability as they were, and what a replay needs of them. Pure functions.

Agents are there while the status log says that they were available. Before it began, they count as
there from one contact to the next, including pauses of up to half an hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations.lifecycle.transitions import EndReason
from reporting.simulator.model import NOTHING, Shift, Stay

PAUSE = timedelta(minutes=30)

# After these, a conversation returns to the agent who set it aside.
COMES_BACK = frozenset({EndReason.SNOOZED, EndReason.PENDING, EndReason.ON_HOLD, EndReason.SOLVED})


@dataclass(frozen=True, slots=True)
class Spell:
    """One contact as it was; an open one ends now."""

    conversation_id: int
    agent_id: int
    group_id: int | None
    queued_at: datetime
    started_at: datetime
    ended_at: datetime
    end_reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """An interval of the status log: a connected agent was available or not; an open one ends
    now."""

    agent_id: int
    is_available: bool
    starts_at: datetime
    ends_at: datetime


def life_of(contacts: Sequence[Spell], group_id: int) -> tuple[Stay, ...]:
    """Return the contacts of one conversation, given oldest first, in the form that a replay
    uses."""
    stays: list[Stay] = []
    before: Spell | None = None
    for contact in contacts:
        away, to_agent = NOTHING, False
        if before is not None:
            # A conversation that keeps its former rank came back at the moment it left the desk.
            away = max(contact.queued_at - before.ended_at, NOTHING)
            to_agent = before.agent_id == contact.agent_id and before.end_reason in COMES_BACK
        on_desk = contact.ended_at - contact.started_at
        stays.append(Stay(contact.group_id or group_id, on_desk, away, to_agent))
        before = contact
    return tuple(stays)


def shifts_of(spells: Iterable[Spell], statuses: Iterable[Status]) -> Iterator[Shift]:
    """Yield when agents were there, without overlaps: while they were available, and before their
    first line in the status log as far as their contacts show."""
    contacts: dict[int, list[Spell]] = defaultdict(list)
    for spell in spells:
        contacts[spell.agent_id].append(spell)
    log: dict[int, list[Status]] = defaultdict(list)
    for status in statuses:
        log[status.agent_id].append(status)
    for agent_id in sorted(contacts.keys() | log.keys()):
        recorded = log.get(agent_id, [])
        since = min((status.starts_at for status in recorded), default=None)
        presumed = [
            (starts_at, ends_at if since is None else min(ends_at, since))
            for starts_at, ends_at in _joined(
                [(spell.started_at, spell.ended_at) for spell in contacts.get(agent_id, [])], PAUSE
            )
            if since is None or starts_at < since
        ]
        available = [
            (status.starts_at, status.ends_at) for status in recorded if status.is_available
        ]
        for starts_at, ends_at in _joined(presumed + available):
            yield Shift(agent_id, starts_at, ends_at)


def _joined(
    intervals: Iterable[tuple[datetime, datetime]], pause: timedelta = NOTHING
) -> list[tuple[datetime, datetime]]:
    """Return the intervals in order, those that overlap or are at most ``pause`` apart as one."""
    joined: list[tuple[datetime, datetime]] = []
    for starts_at, ends_at in sorted(intervals):
        if joined and starts_at - joined[-1][1] <= pause:
            joined[-1] = joined[-1][0], max(joined[-1][1], ends_at)
        else:
            joined.append((starts_at, ends_at))
    return joined


def most_at_once(spells: Iterable[Spell]) -> dict[int, int]:
    """Return the largest number of conversations each agent held at the same time."""
    held: dict[int, int] = defaultdict(int)
    most: dict[int, int] = defaultdict(int)
    moments = [(spell.started_at, 1, spell.agent_id) for spell in spells]
    moments += [(spell.ended_at, -1, spell.agent_id) for spell in spells]
    for _, change, agent_id in sorted(moments):
        held[agent_id] += change
        most[agent_id] = max(most[agent_id], held[agent_id])
    return dict(most)
