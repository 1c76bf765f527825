"""Pushes to visitors' sockets: messages, ticks, moves of their conversation, their agent's coming
and going, and history hidden or shown again.
"""

from __future__ import annotations

from conversations.agents import ownership
from conversations.facts import (
    BrowserLinked,
    CallChanged,
    CobrowsingChanged,
    ConsentChanged,
    ConversationMoved,
    HistoryHidden,
    LooksChanged,
    MessageAdded,
    MessagesRead,
    MessageTranslated,
    VisitorLoggedOut,
)
from conversations.models import TranslationState
from core.db import async_pool
from core.realtime.channel_groups import (
    browser_recorders_group,
    push,
    recorders_group,
    visitor_group,
)
from routing.facts import AgentChanged, BotTyped


async def show_message(fact: MessageAdded) -> None:
    frame = {"type": "message", "conversation": fact.public_id, "message": fact.message}
    await push(visitor_group(fact.visitor_id), frame)


async def show_read(fact: MessagesRead) -> None:
    frame = {"type": "read", "conversation": fact.public_id, "by": fact.by, "seq": fact.seq}
    await push(visitor_group(fact.visitor_id), frame)


async def show_translation(fact: MessageTranslated) -> None:
    """Push a translation. That there is none concerns the agent only."""
    if fact.translation["state"] == TranslationState.DONE:
        frame = {
            "type": "translation",
            "conversation": fact.public_id,
            "translation": fact.translation,
        }
        await push(visitor_group(fact.visitor_id), frame)


async def show_agent(fact: AgentChanged) -> None:
    """The agent came or went: show their visitors who answers now (B4)."""
    for row in await async_pool.fetch_all(ownership.ON_DESK, {"agent": fact.agent_id}):
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


async def show_bot_typing(fact: BotTyped) -> None:
    frame = {"type": "typing", "conversation": fact.public_id, "on": True, "name": fact.name}
    await push(visitor_group(fact.visitor_id), frame)


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


async def end_sockets(fact: VisitorLoggedOut) -> None:
    """Close the sockets of a browser that has logged out (N12)."""
    frame = {"type": "logout"}
    # The socket that sends the page to agents is another one, and must end as well.
    for group in (visitor_group(fact.visitor_id), browser_recorders_group(fact.visitor_id)):
        await push(group, frame, logged_out=fact.visitor_id)


async def show_looks(fact: LooksChanged) -> None:
    """Agents began or stopped looking at the visitor's page: the visitor sees their names, and the
    recorder starts or stops (R59)."""
    frame = {"type": "mirror", "conversation": fact.public_id, "names": list(fact.names)}
    await push(visitor_group(fact.visitor_id), frame)
    await push(recorders_group(fact.conversation_id), {"type": "looks"}, names=fact.names)


async def show_call(fact: CallChanged) -> None:
    """A call rings in every tab of the visitor, was answered or is over."""
    frame = {"type": "call", "conversation": fact.public_id, "call": fact.call}
    await push(visitor_group(fact.visitor_id), frame)


async def show_cobrowsing(fact: CobrowsingChanged) -> None:
    """An agent asks to act on the page, or may, or no longer may: the visitor sees it at once."""
    session = {
        "id": fact.session_id,
        "name": fact.name,
        "is_on": fact.is_accepted,
        "allowed": list(fact.allowed),
    }
    frame = {
        "type": "cobrowsing",
        "conversation": fact.public_id,
        "session": None if fact.end else session,
    }
    await push(visitor_group(fact.visitor_id), frame)
