"""Pushes to agents' sockets.

Messages go to the desk that holds the conversation. Of everything else only the change is
announced, so that the page fetches it with its ordinary permissions.
"""

from __future__ import annotations

from conversations.facts import (
    AgentMentioned,
    CallChanged,
    CobrowsingChanged,
    ConversationMoved,
    DeliveryChanged,
    LooksChanged,
    MessageAdded,
    MessagesRead,
    MessageTranslated,
    NoteWritten,
    PushUnanswered,
    ReasonsChanged,
    SuggestionsCame,
    SummaryMade,
    VisitorBrowsed,
    WritingCame,
)
from conversations.lifecycle.transitions import PAUSED
from core.realtime.channel_groups import desk_group, push, team_group, viewers_group
from routing.facts import AgentChanged

BOXES = {"type": "changed", "what": "boxes"}
SNOOZED = {"type": "changed", "what": "snoozed"}


async def show_message(fact: MessageAdded) -> None:
    if fact.agent_id is not None:
        message = fact.message | ({"email": fact.email} if fact.email else {})
        frame = {"type": "message", "conversation": fact.conversation_id, "message": message}
        await push(desk_group(fact.agent_id), frame)


async def show_read(fact: MessagesRead) -> None:
    if fact.agent_id is not None and fact.by == "visitor":
        frame = {
            "type": "read",
            "conversation": fact.conversation_id,
            "by": fact.by,
            "seq": fact.seq,
        }
        await push(desk_group(fact.agent_id), frame)


async def show_translation(fact: MessageTranslated) -> None:
    if fact.agent_id is not None:
        frame = {
            "type": "translation",
            "conversation": fact.conversation_id,
            "translation": fact.translation,
        }
        await push(desk_group(fact.agent_id), frame)


async def show_delivery(fact: DeliveryChanged) -> None:
    """Push the tick of a message that left by an inbox. The page fetches why, in its language."""
    if fact.agent_id is not None:
        frame = {
            "type": "delivery",
            "conversation": fact.conversation_id,
            "seq": fact.seq,
            "status": fact.status,
        }
        await push(desk_group(fact.agent_id), frame)


async def show_move(fact: ConversationMoved) -> None:
    """Push to the agents who could see it until now, and to those who can now."""
    frame = {"type": "changed", "what": "conversation", "conversation": fact.conversation_id}
    holds = fact.agent_id if fact.status == "active" else None
    for agent_id in {fact.agent_id, fact.agent_before}:
        if agent_id is None:
            continue
        await push(
            desk_group(agent_id),
            frame,
            number=fact.conversation_id,
            public_id=fact.public_id,
            visitor_id=fact.visitor_id if agent_id == holds else None,
        )
    for group_id in _teams(fact):
        await push(team_group(group_id), SNOOZED)


def _teams(fact: ConversationMoved) -> set[int]:
    """Return the groups whose list "left to the team" gained or lost this conversation (C4)."""
    joined = fact.group_id if fact.status in PAUSED and fact.agent_id is None else None
    is_left = fact.status_before in PAUSED and fact.agent_before is None
    left = fact.group_before if is_left else None
    return {group_id for group_id in (joined, left) if group_id is not None}


async def show_note(fact: NoteWritten | SummaryMade | ReasonsChanged) -> None:
    """Push to the desk that holds the conversation; others read the note, the summary or the tags
    when they open it."""
    if fact.agent_id is not None:
        frame = {"type": "changed", "what": "conversation", "conversation": fact.conversation_id}
        await push(desk_group(fact.agent_id), frame)


async def show_visitor(fact: VisitorBrowsed) -> None:
    frame = {"type": "changed", "what": "visitor", "conversation": fact.conversation_id}
    await push(desk_group(fact.agent_id), frame)


async def show_agent(fact: AgentChanged | PushUnanswered | AgentMentioned) -> None:
    """Push to the agent's desks; their groups may have changed too, and so their channel groups."""
    await push(desk_group(fact.agent_id), BOXES, has_new_teams=True)


async def show_suggestions(fact: SuggestionsCame) -> None:
    frame = {"type": "changed", "what": "suggestions", "conversation": fact.conversation_id}
    await push(desk_group(fact.agent_id), frame)


async def show_writing(fact: WritingCame) -> None:
    frame = {"type": "changed", "what": "writing", "conversation": fact.conversation_id}
    await push(desk_group(fact.agent_id), frame)


async def show_looks(fact: LooksChanged) -> None:
    """Close the sockets of looks that have ended, and show on the desk who looked."""
    await push(viewers_group(fact.conversation_id), {"type": "looks"}, look_ids=fact.look_ids)
    for agent_id in fact.agent_ids:
        frame = {"type": "changed", "what": "visitor", "conversation": fact.conversation_id}
        await push(desk_group(agent_id), frame)


async def check_looks(fact: ConversationMoved) -> None:
    """Make those who look at the visitor's page check whether they still may."""
    await push(viewers_group(fact.conversation_id), {"type": "moved"}, is_moved=True)


async def show_call(fact: CallChanged) -> None:
    """A call rings in every tab of the agent, was answered or is over."""
    frame = {
        "type": "call",
        "conversation": fact.conversation_id,
        "name": fact.visitor_name,
        "call": fact.call,
    }
    await push(desk_group(fact.agent_id), frame)
    await push(desk_group(fact.agent_id), BOXES)  # In a call, the channels of calls are full.
    if fact.call["end"]:
        changed = {
            "type": "changed",
            "what": "conversation",
            "conversation": fact.conversation_id,
        }
        await push(desk_group(fact.agent_id), changed)


async def show_cobrowsing(fact: CobrowsingChanged) -> None:
    """Tell the agent who asked to act on the visitor's page whether they may."""
    state = "over" if fact.end else "on" if fact.is_accepted else "asked"
    frame = {"type": "cobrowsing", "state": state, "why": fact.end, "allowed": list(fact.allowed)}
    known = {"cobrowsing_look": fact.look_id, "allowed": fact.allowed if state == "on" else ()}
    await push(viewers_group(fact.conversation_id), frame, **known)
