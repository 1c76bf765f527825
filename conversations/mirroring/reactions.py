"""The reaction of looks to what a visitor decides. It may be lost: each look is checked again with
the heartbeat of its socket."""

from __future__ import annotations

from channels.db import database_sync_to_async

from conversations.facts import ConsentChanged
from conversations.lifecycle.deadlines import database_now
from conversations.mirroring import looks


async def end_withdrawn(fact: ConsentChanged) -> None:
    """End the looks at the pages of a person who has withdrawn consent, in all their browsers."""
    if not fact.is_given:
        await database_sync_to_async(_end)(fact.visitor_ids)


def _end(visitor_ids: tuple[int, ...]) -> None:
    looks.end_withdrawn(visitor_ids, at=database_now())
