"""The record of why customers wrote, and its replay, which proves the stored tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import QuerySet

from conversations.models import Conversation, ReasonEvent, ReasonEventKind


def lines_of(conversation_id: int) -> QuerySet[ReasonEvent]:
    """Return the lines of a conversation's record, oldest first."""
    return ReasonEvent.objects.filter(conversation=conversation_id).order_by("id")


def tags_by(lines: Iterable[ReasonEvent]) -> set[int]:
    """Return the ids of the tags that a conversation has by its record, oldest line first."""
    tags: set[int] = set()
    for line in lines:
        match line.kind:
            case ReasonEventKind.TAGGED if line.tag_id is not None:
                tags.add(line.tag_id)
            case ReasonEventKind.UNTAGGED if line.tag_id is not None:
                tags.discard(line.tag_id)
            case ReasonEventKind.MERGED if line.tag_id in tags and line.into_id is not None:
                tags.discard(line.tag_id)
                tags.add(line.into_id)
    return tags


def differences(conversations: QuerySet[Conversation]) -> Iterator[tuple[int, str]]:
    """Yield where the stored tags are not those of the record, as (number, what differs)."""
    read = conversations.prefetch_related("tag_marks", "reason_events")
    for conversation in read.iterator(chunk_size=500):
        stored = {mark.tag_id for mark in conversation.tag_marks.all()}
        # Sorted here, because ``order_by`` would query again what was prefetched.
        recorded = tags_by(sorted(conversation.reason_events.all(), key=lambda line: line.pk))
        if stored != recorded:
            yield (
                conversation.pk,
                f"tags are {sorted(stored)}, the record says {sorted(recorded)}",
            )
