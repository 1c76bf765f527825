"""A waiting conversation and everything that decides who can take it, as plain data.

``decisions.obstacles`` says what stops an agent; ``reasons`` and ``remedies`` find the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from routing.decisions import AgentView, BlockReason, Need, Obstacle

BARS = frozenset({BlockReason.DEACTIVATED, BlockReason.READS_ONLY, BlockReason.OTHER_WEBSITE})
"""What the agent cannot change: nothing that they do would bring them the conversation."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A queue. ``places`` is ``None`` if a group without a queue was handed conversations."""

    rule: str
    group: str
    places: int | None
    waiting: int
    returned: int


@dataclass(frozen=True, slots=True)
class AgentCase:
    """An agent by name, as seen on the channel."""

    name: str
    view: AgentView


@dataclass(frozen=True, slots=True)
class Case:
    """A waiting conversation and everything that decides who can take it, at ``at``.

    ``rank`` is its place among what waits for the same group (or the same agent) on its channel.
    ``people`` are the members of the group, and agents of the website who only lack membership; for
    an assigned conversation, its agent. ``deadline_at`` ends its assignment or its wait for a
    skill. ``free_since`` is since when an agent has been seen free while it waits.
    """

    number: int
    at: datetime
    zone: tzinfo
    need: Need
    channel: str
    group: str
    fill: Fill
    rank: int
    waits_since: datetime
    is_return: bool = False
    people: Sequence[AgentCase] = ()
    skills: Mapping[int, str] = field(default_factory=dict)
    deadline_at: datetime | None = None
    free_since: datetime | None = None

    @property
    def is_assigned(self) -> bool:
        return self.need.agent_id is not None


Stopped = tuple[AgentCase, tuple[Obstacle, ...]]


def nearest(stopped: Stopped) -> tuple[bool, int, str]:
    """Order by ability, then by how little stops an agent; those outside the group come last."""
    agent, in_the_way = stopped
    # Strangers last, since to join a group takes somebody else's decision.
    is_stranger = any(one.kind == BlockReason.NOT_A_MEMBER for one in in_the_way)
    return is_stranger, len(in_the_way), agent.name.lower()


def is_barred(in_the_way: Sequence[Obstacle]) -> bool:
    """Return whether these obstacles bar an agent from it altogether."""
    return any(one.kind in BARS for one in in_the_way)


def has(in_the_way: Sequence[Obstacle], kind: BlockReason) -> bool:
    return any(one.kind == kind for one in in_the_way)


def skill_names(ids: frozenset[int], case: Case) -> str:
    """Return the names of skills, in order, separated by commas."""
    return ", ".join(sorted(case.skills.get(pk, f"#{pk}") for pk in ids))
