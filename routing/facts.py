"""Facts about agents, groups and rules, for reactions."""

from __future__ import annotations

from dataclasses import dataclass

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class CapacityAdded(Fact):
    """An agent can take more: they connected, became available, or got slots, skills or a group."""

    agent_id: int


@dataclass(frozen=True, slots=True)
class GroupChanged(Fact):
    """A group opened, or its members or settings changed: somebody may take what waits."""

    group_id: int


@dataclass(frozen=True, slots=True)
class WebsiteChanged(Fact):
    """Something that all groups of a website depend on changed: time zone, holidays, a skill."""

    website_id: int


@dataclass(frozen=True, slots=True)
class AgentChanged(Fact):
    """Connection, availability or slots of an agent changed: boards and desks show it."""

    agent_id: int


@dataclass(frozen=True, slots=True)
class AccessChanged(Fact):
    """An agent's account, role or groups changed: they may have lost the right to conversations."""

    agent_id: int


@dataclass(frozen=True, slots=True)
class RuleChanged(Fact):
    """A distribution rule or one of its queues was changed in the admin."""

    website_id: int


@dataclass(frozen=True, slots=True)
class UserInvited(Fact):
    """A user who cannot log in yet must choose a password."""

    user_id: int


@dataclass(frozen=True, slots=True)
class BotBegan(Fact):
    """A conversation began with a bot, which owes the visitor its first words."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class BotAskedPeople(Fact):
    """A bot passes its conversation on. ``turn`` numbers what it did: later ones make this
    obsolete."""

    conversation_id: int
    turn: int


@dataclass(frozen=True, slots=True)
class BotCalled(Fact):
    """A bot makes an HTTP call, or asks the knowledge. ``turn`` is as in ``BotAskedPeople``;
    ``waited`` are the seconds for which the language model was busy."""

    conversation_id: int
    turn: int
    waited: int = 0


@dataclass(frozen=True, slots=True)
class ProgramOwesAnswer(Fact):
    """Something happened that the program of a bot has to be informed of, or a pause of its own is
    over."""

    conversation_id: int


@dataclass(frozen=True, slots=True)
class BotPaused(Fact):
    """A bot was paused because its program no longer answers."""

    bot_id: int


@dataclass(frozen=True, slots=True)
class BotTyped(Fact):
    """A bot shows that it is writing."""

    public_id: str
    visitor_id: int
    name: str


@dataclass(frozen=True, slots=True)
class QueueFilled(Fact):
    """A new conversation took the last place of a queue. ``at`` is the moment, in ISO form."""

    step_id: int
    places: int
    at: str
