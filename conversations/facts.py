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
class ReasonsChanged(Fact):
    """The tags of a conversation changed. ``agent_id`` holds the conversation."""

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
class VisitorLoggedOut(Fact):
    """A known customer logged out of the brand's site: this browser's token is invalid."""

    visitor_id: int


@dataclass(frozen=True, slots=True)
class BotFellSilent(Fact):
    """A bot has not answered a visitor for too long."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class VisitorWroteToBot(Fact):
    """A visitor wrote while a bot has the conversation. The statement that stores the message
    writes what this fact owes (``conversations.messages.statements``)."""

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
class AnswerLeft(Fact):
    """Somebody other than the visitor wrote in a conversation of an inbox. The statement that
    stores the message writes what this fact owes."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class InboxSaved(Fact):
    """An administrator saved an inbox."""

    inbox_id: int


@dataclass(frozen=True, slots=True)
class InboundStored(Fact):
    """A message of a correspondent was stored, and waits for a conversation."""

    correspondent_id: int


@dataclass(frozen=True, slots=True)
class DeliveryChanged(Fact):
    """A provider accepted, delivered or refused a message of a conversation."""

    conversation_id: int
    agent_id: int | None
    seq: int
    status: str
    reason: str


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
class WritingAsked(Fact):
    """An agent asked a language model for a text. ``waited`` are the seconds for which it was
    busy."""

    aid_id: int
    waited: int = 0


@dataclass(frozen=True, slots=True)
class WritingCame(Fact):
    """The text that an agent asked for is there, or there will be none."""

    conversation_id: int
    agent_id: int


@dataclass(frozen=True, slots=True)
class TranslationOwed(Fact):
    """A message was written on a website that translates messages. The statement that stores it
    writes what this fact owes. ``waited`` are the seconds for which the language model was busy,
    and ``failed`` how often it has given no translation."""

    conversation_id: int
    seq: int
    waited: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class TranslationsOwed(Fact):
    """Another agent got a conversation of a website that translates messages."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class MessageTranslated(Fact):
    """The translation of a message is there, or there will be none. ``agent_id`` holds the
    conversation, and ``translation`` is what is pushed to clients."""

    conversation_id: int
    public_id: str
    visitor_id: int
    agent_id: int | None
    translation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SummaryMade(Fact):
    """A conversation has been summarised. ``agent_id`` holds it."""

    conversation_id: int
    agent_id: int | None


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


@dataclass(frozen=True, slots=True)
class LooksChanged(Fact):
    """An agent began or ended a look at the visitor's page. ``names`` are those who look now, and
    ``look_ids`` their looks. ``agent_ids`` are the agent who holds the conversation, those who look
    and those who just looked."""

    conversation_id: int
    public_id: str
    visitor_id: int
    agent_ids: tuple[int, ...]
    names: tuple[str, ...]
    look_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallChanged(Fact):
    """A call began to ring, was answered or is over. ``call`` is what both sides may know of it."""

    conversation_id: int
    public_id: str
    visitor_id: int
    visitor_name: str
    agent_id: int
    call: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CobrowsingChanged(Fact):
    """An agent asked to act on the visitor's page, or that session was accepted or ended. ``name``
    is the agent's, and ``end`` says how it ended, if it has."""

    conversation_id: int
    public_id: str
    visitor_id: int
    session_id: int
    look_id: int
    agent_id: int
    name: str
    allowed: tuple[str, ...]
    is_accepted: bool
    end: str


@dataclass(frozen=True, slots=True)
class PersonalDataErased(Fact):
    """Visitors of a website were erased. ``first`` and ``last`` are the days (UTC, ISO 8601) of
    their conversations, empty if they had none; ``address_hashes`` are those of their e-mail
    addresses, as ``personal_data.address_hash`` makes them."""

    website_id: int
    first: str
    last: str
    address_hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebhookStalled(Fact):
    """Deliveries of a webhook were given up, or it was paused."""

    webhook_id: int
