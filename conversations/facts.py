"""The facts that conversations publish: frozen records in the past tense, JSON-safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class ConversationMoved(Fact):
    """A verb moved a conversation. ``*_before`` identify who could see it before."""

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
    """A conversation began to wait in a group, or for the agent it is assigned to."""

    channel: str
    group_id: int | None
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class SlotFreed(Fact):
    """A conversation left an agent's desk."""

    agent_id: int


@dataclass(frozen=True, slots=True)
class PushUnanswered(Fact):
    """An agent's answer timer ran out: they lost the conversation and are unavailable now."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class NoteWritten(Fact):
    """An agent left a note for the team. ``agent_id`` holds the conversation."""

    conversation_id: int
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class AgentMentioned(Fact):
    """A note mentioned an agent."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class VisitorBrowsed(Fact):
    """A visitor opened a page, or the page reported something new about them. ``agent_id`` holds
    the conversation."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class HistoryHidden(Fact):
    """Visitors hid their history up to ``hidden_at``, or showed it again (``None``)."""

    visitor_ids: tuple[int, ...]
    hidden_at: str | None


@dataclass(frozen=True, slots=True)
class BrowserLinked(Fact):
    """Another browser turned out to belong to the same person as ``visitor_ids``."""

    visitor_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BotFellSilent(Fact):
    """A bot has not answered a visitor for too long."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class MessageAdded(Fact):
    """A message was stored. ``message`` is the frame that is pushed to clients."""

    conversation_id: int
    public_id: str
    website_id: int
    visitor_id: int
    agent_id: int | None
    message: dict[str, Any]
    email: str | None = None


@dataclass(frozen=True, slots=True)
class MessagesRead(Fact):
    """One side has read up to ``seq``. ``by`` is ``visitor`` or ``agent``."""

    conversation_id: int
    public_id: str
    visitor_id: int
    agent_id: int | None
    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class SuggestionsAsked(Fact):
    """An agent was offered suggestions, and the website's provider may have more."""

    offer_id: int


@dataclass(frozen=True, slots=True)
class SuggestionsCame(Fact):
    """A provider sent suggestions for the question that an agent has open."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class SurveyAnswered(Fact):
    """A visitor answered the survey."""

    conversation_id: int
    website_id: int


@dataclass(frozen=True, slots=True)
class ConsentChanged(Fact):
    """A person has given or withdrawn consent, for all of these visitors."""

    visitor_ids: tuple[int, ...]
    is_given: bool
