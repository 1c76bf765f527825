"""The reaction of calls to what happens to their conversation. It may be lost: a tab that takes
part asks every ten seconds whether the call goes on."""

from __future__ import annotations

from channels.db import database_sync_to_async

from conversations.calls import verbs
from conversations.facts import ConversationMoved
from conversations.lifecycle.deadlines import database_now
from conversations.lifecycle.transitions import Status


async def end_moved(fact: ConversationMoved) -> None:
    """End the call of a conversation that has left the agent's desk."""
    stays = fact.status == Status.ACTIVE and fact.agent_id == fact.agent_before
    if fact.status_before == Status.ACTIVE and not stays:
        await database_sync_to_async(_end)(fact.conversation_id)


def _end(conversation_id: int) -> None:
    verbs.end_moved(conversation_id, at=database_now())
