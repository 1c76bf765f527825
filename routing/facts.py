"""Facts about agents, groups and rules that reactions hang on."""

from __future__ import annotations

from dataclasses import dataclass

from core.events.facts import Fact


@dataclass(frozen=True, slots=True)
class CapacityAdded(Fact):
    """An agent can take more: he connected, became available, or was given slots, skills or a
    group."""

    agent_id: int


@dataclass(frozen=True, slots=True)
class GroupChanged(Fact):
    """A group opened, or its members or settings changed: what waits in it may have found a
    taker."""

    group_id: int


@dataclass(frozen=True, slots=True)
class WebsiteChanged(Fact):
    """Something that all groups of a website stand on changed: its zone, its holidays, a skill."""

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
class PersonInvited(Fact):
    """Somebody who cannot log in yet shall choose a password."""

    user_id: int
