"""Answers of bots in sentences, from the passages of public articles only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.knowledge.finding import Passage
from conversations.language_models import calling, citations, prompts
from conversations.language_models.calling import Request
from conversations.language_models.citations import Sentence
from conversations.models import CallOutcome, Conversation, LanguageModelCall, Purpose


@dataclass(frozen=True, slots=True)
class Answer:
    """Proven sentences, and the passages that their numbers refer to."""

    sentences: tuple[Sentence, ...]
    passages: Sequence[Passage]


def answer(
    conversation: Conversation, question: str, passages: Sequence[Passage], *, at: datetime
) -> Answer | None:
    """Return an answer of which every sentence is proven, or ``None``: the website has no language
    model for this, the conversation had its share, or the model failed. Raise ``calling.Busy``."""
    settings = calling.settings_of(conversation, "answers_visitors")
    if settings is None or not passages:
        return None
    given = LanguageModelCall.objects.filter(
        conversation=conversation, purpose=Purpose.ANSWER, outcome=CallOutcome.DONE
    )
    if given.count() >= settings.answers_per_conversation:
        return None
    texts = [passage.text for passage in passages]
    text = calling.ask(
        settings,
        conversation,
        Request(Purpose.ANSWER, prompts.answer(question, texts, conversation.language)),
        at=at,
        is_valid=lambda written: citations.check(written, texts) is not None,
    )
    sentences = citations.check(text, texts) if text is not None else None
    return Answer(sentences, passages) if sentences is not None else None
