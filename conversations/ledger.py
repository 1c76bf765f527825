"""The append-only ledger: making a line, and replaying all of them to the row they must give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from conversations.actors import Actor
from conversations.models import Conversation, Event
from conversations.transitions import TRANSITIONS, EndReason, Refused, Status, Verb, target_of


def line(
    conversation: Conversation, verb: Verb, *, actor: Actor, at: datetime, data: dict[str, Any]
) -> Event:
    """The line that says that ``verb`` made ``conversation`` what it is now, not stored yet."""
    return Event(
        conversation=conversation,
        verb=verb.value,
        at=at,
        actor_kind=actor.kind,
        actor_user_id=actor.user_id,
        to_status=conversation.status,
        agent_id=conversation.agent_id,
        group_id=conversation.group_id,
        queue_id=conversation.queue_id,
        deadline_at=conversation.deadline_at,
        data=data,
    )


@dataclass(slots=True)
class Replayed:
    """What a conversation must be, as its ledger tells it."""

    status: Status | None = None
    agent_id: int | None = None
    group_id: int | None = None
    queue_id: int | None = None
    contacts: list[list[Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def replay(events: Iterable[Event]) -> Replayed:
    """Fold the events of one conversation, oldest first, through the transition table."""
    told = Replayed()
    last_at: datetime | None = None
    for event in events:
        verb = Verb(event.verb)
        try:
            told.status = target_of(verb, told.status)
        except Refused as refused:
            told.faults.append(f"event {event.pk}: {refused}")
            told.status = Status(event.to_status)
        if event.to_status != told.status:
            told.faults.append(
                f"event {event.pk}: says {event.to_status}, {verb} gives {told.status}"
            )
        if last_at is not None and event.at < last_at:
            told.faults.append(f"event {event.pk}: earlier than the event before it")
        last_at = event.at
        told.agent_id = event.agent_id
        told.group_id = event.group_id
        told.queue_id = event.queue_id
        is_open = bool(told.contacts) and told.contacts[-1][2] is None
        if told.status == Status.ACTIVE:
            if is_open:
                told.faults.append(f"event {event.pk}: opens a contact while one is open")
            told.contacts.append([event.agent_id, event.at, None, ""])
        elif is_open:
            reason = event.data.get("end_reason") or TRANSITIONS[verb].ends_contact
            told.contacts[-1][2:] = [event.at, EndReason(reason).value if reason else "?"]
    return told


def differences(conversation: Conversation, told: Replayed) -> Iterator[str]:
    """Where a stored row and its contacts differ from what its ledger tells."""
    yield from told.faults
    for name in ("status", "agent_id", "group_id", "queue_id"):
        stored, replayed = getattr(conversation, name), getattr(told, name)
        if stored != replayed:
            yield f"{name} is {stored}, the ledger says {replayed}"
    stored_contacts = [
        [contact.agent_id, contact.started_at, contact.ended_at, contact.end_reason]
        for contact in sorted(conversation.contacts.all(), key=lambda c: (c.started_at, c.pk))
    ]
    if stored_contacts != told.contacts:
        yield f"contacts are {stored_contacts}, the ledger says {told.contacts}"


def verify(conversations: QuerySet[Conversation]) -> Iterator[tuple[int, str]]:
    """Each difference between rows and ledger, as (conversation number, what differs).

    Read in pieces, so that millions do; on a living system inside one snapshot (REPEATABLE READ).
    """
    read = conversations.prefetch_related("events", "contacts")
    for conversation in read.iterator(chunk_size=500):
        told = replay(sorted(conversation.events.all(), key=lambda event: event.pk))
        for difference in differences(conversation, told):
            yield conversation.pk, difference
