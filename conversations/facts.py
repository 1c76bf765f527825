"""Facts that reactions hang on: small frozen records, in the past tense, JSON-safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class ConversationMoved(Fact):
    """A verb moved a conversation. ``*_before`` tell the audience that could see it until now."""

    conversation_id: int
    public_id: str
    website_id: int
    visitor_id: int
    verb: str
    status: str
    status_before: str | None
    agent_id: int | None
    agent_before: int | None
    group_id: int | None
    group_before: int | None


@dataclass(frozen=True, slots=True)
class ConversationWaits(Fact):
    """A conversation of a channel began to wait in a group, or for the agent it is assigned to."""

    channel: str
    group_id: int | None
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class SlotFreed(Fact):
    """A conversation left an agent's desk."""

    agent_id: int


@dataclass(frozen=True, slots=True)
class PushUnanswered(Fact):
    """An agent let the answer timer run out: he lost the conversation and is unavailable now."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class NoteWritten(Fact):
    """An agent left a note for the team; ``agent_id`` is who holds the conversation."""

    conversation_id: int
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class AgentMentioned(Fact):
    """A note called an agent by name."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class VisitorBrowsed(Fact):
    """A visitor opened a page, or the page said something new of him; ``agent_id`` holds the
    conversation."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class HistoryHidden(Fact):
    """Visitors hid their history up to ``hidden_at``, or showed it again (``None``)."""

    visitor_ids: tuple[int, ...]
    hidden_at: str | None


@dataclass(frozen=True, slots=True)
class BotFellSilent(Fact):
    """A bot has owed a visitor an answer for too long."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class MessageAdded(Fact):
    """A message was stored; ``message`` is the frame that screens show."""

    conversation_id: int
    public_id: str
    website_id: int
    visitor_id: int
    agent_id: int | None
    message: dict[str, Any]
    email: str | None = None


@dataclass(frozen=True, slots=True)
class MessagesRead(Fact):
    """One side has read up to ``seq``; ``by`` is ``visitor`` or ``agent``."""

    conversation_id: int
    public_id: str
    visitor_id: int
    agent_id: int | None
    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class SuggestionsAsked(Fact):
    """An agent was offered suggestions where the website's own provider may have more."""

    offer_id: int


@dataclass(frozen=True, slots=True)
class SuggestionsCame(Fact):
    """A provider has suggestions for the question that an agent is looking at."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class SurveyAnswered(Fact):
    """A visitor answered the survey."""

    conversation_id: int
    website_id: int


@dataclass(frozen=True, slots=True)
class ConsentChanged(Fact):
    """Somebody has given consent, or withdrawn it, on all of these browsers."""

    visitor_ids: tuple[int, ...]
    is_given: bool
