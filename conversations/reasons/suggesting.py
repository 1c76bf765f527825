"""Tags for a conversation, suggested from those of past conversations with similar questions.

The words of the visitor's first messages are compared with those of the website's latest tagged
conversations. The ranking is pure: it knows no database.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from conversations.models import Author, Conversation, ConversationTag, Message
from core.text.text_search import tokens

MOST = 3
PAST = 400
"""Marks of past conversations that are compared: the latest ones say best why people write now."""
NEIGHBOURS = 15
FIRST_MESSAGES = 3
ENOUGH = 0.12
"""The share of common words, weighted by rarity, below which two questions are not similar."""
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Past:
    """A past conversation: the words of its question, and its tags."""

    words: frozenset[str]
    tags: frozenset[int]


def rank(words: Collection[str], past: Sequence[Past], *, most: int = MOST) -> list[int]:
    """Return the tags of the most similar past questions, the best first. A word counts by its
    rarity, so that "hello" makes nothing similar. Ties go to the smaller id: the answer must not
    depend on the order of rows."""
    asked = set(words)
    known = Counter(word for one in past for word in one.words)
    weights = {word: math.log((1 + len(past)) / (1 + count)) for word, count in known.items()}
    alike: list[tuple[float, frozenset[int]]] = []
    whole = _length(asked, weights)
    for one in past:
        common = sum(weights[word] ** 2 for word in asked & one.words)
        length = whole * _length(one.words, weights)
        if length and common / length >= ENOUGH:
            alike.append((common / length, one.tags))
    alike.sort(key=lambda pair: (-pair[0], sorted(pair[1])))
    scores: dict[int, float] = defaultdict(float)
    for score, tags in alike[:NEIGHBOURS]:
        for tag in tags:
            scores[tag] += score
    return sorted(scores, key=lambda tag: (-scores[tag], tag))[:most]


def _length(words: Collection[str], weights: Mapping[str, float]) -> float:
    return math.sqrt(sum(weights.get(word, 0.0) ** 2 for word in words))


def for_conversation(conversation: Conversation, offered: Collection[int]) -> list[int]:
    """Return up to ``MOST`` of the ``offered`` tags, the best first; none without a question."""
    words = _questions([conversation.pk]).get(conversation.pk)
    if not words or not offered:
        return []
    tags: dict[int, set[int]] = defaultdict(set)
    # Newest first by the number, which is read from an index: the moment would sort every mark.
    marks = ConversationTag.objects.filter(tag__in=offered).exclude(conversation=conversation.pk)
    for number, tag in marks.order_by("-conversation", "-tag").values_list("conversation", "tag")[
        :PAST
    ]:
        tags[number].add(tag)
    numbers = list(tags)
    questions = _questions(numbers)
    past = [
        Past(frozenset(questions[number]), frozenset(tags[number]))
        for number in numbers
        if questions.get(number)
    ]
    return rank(words, past)


def _questions(numbers: Collection[int]) -> dict[int, set[str]]:
    """Return the words of each conversation's first messages by its visitor."""
    said = Message.objects.filter(
        conversation__in=numbers, author=Author.VISITOR, seq__lte=FIRST_MESSAGES
    )
    words: dict[int, set[str]] = defaultdict(set)
    for number, body in said.order_by().values_list("conversation", "body"):
        words[number] |= tokens(body[:LONGEST])
    return words
