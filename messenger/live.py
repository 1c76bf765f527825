"""What visitors' sockets are told of: messages, ticks, that their conversation moved, and that
their history was hidden or shown again."""

from __future__ import annotations

from conversations.facts import ConversationMoved, HistoryHidden, MessageAdded, MessagesRead
from conversations.layer import push, visitor_group


async def show_message(fact: MessageAdded) -> None:
    frame = {"type": "message", "conversation": fact.public_id, "message": fact.message}
    await push(visitor_group(fact.visitor_id), frame)


async def show_read(fact: MessagesRead) -> None:
    frame = {"type": "read", "conversation": fact.public_id, "by": fact.by, "seq": fact.seq}
    await push(visitor_group(fact.visitor_id), frame)


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
