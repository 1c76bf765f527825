"""The append-only ledger: creating its lines, and replaying them to verify the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from conversations.lifecycle.actors import Actor
from conversations.lifecycle.denormalized import AT_CLOSURE
from conversations.lifecycle.transitions import (
    TRANSITIONS,
    WAITING,
    WAITS_ON,
    EndReason,
    Refused,
    Status,
    Verb,
    target_of,
)
from conversations.models import Conversation, Event


def new_event(
    conversation: Conversation, verb: Verb, *, actor: Actor, at: datetime, data: dict[str, Any]
) -> Event:
    """Return the unsaved line that records that ``verb`` brought ``conversation`` into its current
    state."""
    return Event(
        conversation=conversation,
        website_id=conversation.website_id,
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
    """The expected values of a conversation's row and contacts, according to its ledger."""

    status: Status | None = None
    agent_id: int | None = None
    group_id: int | None = None
    queue_id: int | None = None
    contacts: list[list[Any]] = field(default_factory=list)
    opened_at: datetime | None = None
    moved_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    began_to_wait_at: datetime | None = None
    is_begun_by_bot: bool = False
    at_closure: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def last_holder_id(self) -> int | None:
        return self.contacts[-1][0] if self.contacts else None

    @property
    def contact_count(self) -> int:
        return len(self.contacts)

    @property
    def changed_hands(self) -> bool:
        return len({contact[0] for contact in self.contacts}) > 1


CHUNK = 500
PROGRESS_EVERY = 50_000

REPLAYED_COLUMNS = (
    *("status", "agent_id", "group_id", "queue_id"),
    *("opened_at", "moved_at", "closed_at", "closed_by"),
    *("began_to_wait_at", "last_holder_id", "contact_count", "changed_hands", "is_begun_by_bot"),
)
"""The columns of a conversation that follow from its ledger."""


def replay(events: Iterable[Event]) -> Replayed:
    """Fold the events of one conversation, oldest first, through the transition table."""
    replayed = Replayed()
    for event in events:
        verb = Verb(event.verb)
        try:
            replayed.status = target_of(verb, replayed.status)
        except Refused as refused:
            replayed.faults.append(f"event {event.pk}: {refused}")
            # Go on from what the line says: otherwise one fault would make every later line one.
            replayed.status = Status(event.to_status)
        if event.to_status != replayed.status:
            replayed.faults.append(
                f"event {event.pk}: says {event.to_status}, {verb} gives {replayed.status}"
            )
        if replayed.moved_at is not None and event.at < replayed.moved_at:
            replayed.faults.append(f"event {event.pk}: earlier than the event before it")
        # An imported conversation has one line, of its closure, which says when it had begun.
        began = event.data["opened_at"] if verb == Verb.IMPORT else None
        replayed.opened_at = replayed.opened_at or (
            event.at if began is None else datetime.fromisoformat(began)
        )
        replayed.moved_at = event.at
        if replayed.status == Status.CLOSED:
            replayed.closed_at, replayed.closed_by = event.at, event.actor_kind
            # Missing in events from before C57; ``conversations.lifecycle.consistency`` reads the
            # row instead.
            replayed.at_closure = {
                name: event.data[name] for name in AT_CLOSURE if name in event.data
            }
        replayed.agent_id = event.agent_id
        replayed.group_id = event.group_id
        replayed.queue_id = event.queue_id
        is_open = bool(replayed.contacts) and replayed.contacts[-1][3] is None
        if replayed.status in WAITING and verb not in WAITS_ON:
            replayed.began_to_wait_at = event.at
        replayed.is_begun_by_bot = replayed.is_begun_by_bot or replayed.status == Status.BOT
        if replayed.status == Status.ACTIVE:
            if is_open:
                replayed.faults.append(f"event {event.pk}: opens a contact while one is open")
            replayed.contacts.append(
                [event.agent_id, replayed.began_to_wait_at, event.at, None, ""]
            )
        elif is_open:
            reason = event.data.get("end_reason") or TRANSITIONS[verb].ends_contact
            replayed.contacts[-1][3:] = [event.at, EndReason(reason).value if reason else "?"]
    return replayed


def differences(conversation: Conversation, replayed: Replayed) -> Iterator[str]:
    """Yield the differences between a stored row with its contacts and its ledger."""
    yield from replayed.faults
    for name in REPLAYED_COLUMNS:
        stored, expected = getattr(conversation, name), getattr(replayed, name)
        if stored != expected:
            yield f"{name} is {stored}, the ledger says {expected}"
    for name, expected in replayed.at_closure.items():
        if getattr(conversation, name) != expected:
            yield f"{name} is {getattr(conversation, name)}, the ledger says {expected}"
    stored_contacts = [
        [
            contact.agent_id,
            contact.began_to_wait_at,
            contact.started_at,
            contact.ended_at,
            contact.end_reason,
        ]
        for contact in sorted(conversation.contacts.all(), key=lambda c: (c.started_at, c.pk))
    ]
    if stored_contacts != replayed.contacts:
        yield f"contacts are {stored_contacts}, the ledger says {replayed.contacts}"


def verify(
    conversations: QuerySet[Conversation], *, on_progress: Callable[[int], None] = lambda n: None
) -> Iterator[tuple[int, str]]:
    """Yield the differences between rows and ledger, as (conversation number, what differs).

    It reads in chunks and so works for millions of rows. On a live system call it in one snapshot
    (REPEATABLE READ). ``on_progress`` is called now and then with the number of rows read.
    """
    read = conversations.prefetch_related("events", "contacts")
    for count, conversation in enumerate(read.iterator(chunk_size=CHUNK)):
        if count and count % PROGRESS_EVERY == 0:
            on_progress(count)
        # Sorted here, because ``order_by`` would query again what was prefetched.
        replayed = replay(sorted(conversation.events.all(), key=lambda event: event.pk))
        for difference in differences(conversation, replayed):
            yield conversation.pk, difference
