"""Pushes to visitors' sockets: messages, ticks, moves of their conversation, their agent's coming
and going, and history hidden or shown again.
"""

from __future__ import annotations

from conversations.facts import (
    BrowserLinked,
    ConsentChanged,
    ConversationMoved,
    HistoryHidden,
    MessageAdded,
    MessagesRead,
)
from core.db import async_pool
from core.realtime.channel_groups import push, visitor_group
from routing.facts import AgentChanged

# Plain SQL: live reactions run in the event loop, where the ORM cannot.
ON_DESK = """
    SELECT public_id, visitor_id FROM conversations_conversation
    WHERE agent_id = %(agent)s AND status = 'active'
"""


async def show_message(fact: MessageAdded) -> None:
    frame = {"type": "message", "conversation": fact.public_id, "message": fact.message}
    await push(visitor_group(fact.visitor_id), frame)


async def show_read(fact: MessagesRead) -> None:
    frame = {"type": "read", "conversation": fact.public_id, "by": fact.by, "seq": fact.seq}
    await push(visitor_group(fact.visitor_id), frame)


async def show_agent(fact: AgentChanged) -> None:
    """The agent came or went: show their visitors who answers now (B4)."""
    for row in await async_pool.fetch_all(ON_DESK, {"agent": fact.agent_id}):
        frame = {"type": "state", "conversation": str(row["public_id"])}
        await push(visitor_group(row["visitor_id"]), frame)


async def show_move(fact: ConversationMoved) -> None:
    frame = {"type": "state", "conversation": fact.public_id}
    await push(
        visitor_group(fact.visitor_id),
        frame,
        number=fact.conversation_id,
        public_id=fact.public_id,
        agent_id=fact.agent_id if fact.status == "active" else None,
    )


async def show_history(fact: HistoryHidden) -> None:
    frame = {"type": "history", "hidden": fact.hidden_at}
    for visitor_id in fact.visitor_ids:
        await push(visitor_group(visitor_id), frame)


async def show_person(fact: BrowserLinked) -> None:
    """Another browser is the same person's: their sockets connect again, to hear of its
    conversations, too."""
    for visitor_id in fact.visitor_ids:
        await push(visitor_group(visitor_id), {"type": "person"})


async def show_consent(fact: ConsentChanged) -> None:
    """Inform the sockets whether what their visitor sends may be passed on."""
    for visitor_id in fact.visitor_ids:
        frame = {"type": "consent"}
        await push(visitor_group(visitor_id), frame, is_willing=fact.is_given)
