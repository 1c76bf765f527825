"""Grouping questions by similarity: pure functions of plain data.

Two questions are alike if they share at least half of their stems. Questions belong to one group if
a chain of alike questions connects them, so the order in which they come makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the stems of its words. Only questions of the same website and language are
    compared."""

    pk: int
    conversation_id: int
    website_id: int
    language: str
    text: str
    stems: frozenset[str]
    asked_at: datetime
    was_of_agent: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions about the same; ``title`` is the one that is most like the others."""

    title: Question
    questions: tuple[Question, ...]


def similarity(one: Question, other: Question) -> float:
    """Return the part of their stems that two questions share, from 0 to 1."""
    both = one.stems | other.stems
    return len(one.stems & other.stems) / len(both) if both else 1.0


def group(questions: Sequence[Question]) -> list[Topic]:
    """Return the topics of some questions: the most asked first, then the latest."""
    leader = {one.pk: one.pk for one in questions}

    def lead(pk: int) -> int:
        while leader[pk] != pk:
            pk = leader[pk]
        return pk

    for one, other in combinations(questions, 2):
        is_same_place = (one.website_id, one.language) == (other.website_id, other.language)
        if is_same_place and similarity(one, other) >= ALIKE:
            leader[lead(one.pk)] = lead(other.pk)
    members: dict[int, list[Question]] = {}
    for one in questions:
        members.setdefault(lead(one.pk), []).append(one)
    topics = [_topic(some) for some in members.values()]
    return sorted(topics, key=lambda one: (-len(one.questions), -_latest(one).timestamp()))


def _topic(questions: list[Question]) -> Topic:
    ordered = sorted(questions, key=lambda one: (one.asked_at, one.pk), reverse=True)

    def central(one: Question) -> tuple[float, int, int]:
        return (sum(similarity(one, other) for other in ordered), -len(one.text), one.pk)

    return Topic(max(ordered, key=central), tuple(ordered))


def _latest(topic: Topic) -> datetime:
    return topic.questions[0].asked_at
