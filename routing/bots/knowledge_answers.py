"""Answers of the knowledge for bots, as the engine takes them: quoted, or phrased with sources."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from accounts.models import Website
from conversations import page_links
from conversations.knowledge import finding
from conversations.knowledge.finding import Passage
from conversations.language_models import answering
from conversations.models import Article, Conversation
from routing.bots.plays import Phrased, Quote


def quote_for(website: Website, question: str, language: str) -> Quote | None:
    """Return the passage of a public article that answers, with the link to its page."""
    found = finding.answer(website, question, language)
    return _quote(website, found) if found else None


def phrased(conversation: Conversation, question: str, *, at: datetime) -> Phrased | None:
    """Return an answer in sentences, if the website's language model gives a proven one. Raise
    ``calling.Busy``. It takes seconds: no transaction may be open."""
    passages = finding.passages(conversation.website, question, conversation.language)
    answer = answering.answer(conversation, question, passages, at=at)
    if answer is None:
        return None
    # Readers follow articles, of which several passages may be.
    articles: list[Article] = []
    sources: list[Quote] = []
    sentences = []
    for sentence in answer.sentences:
        numbers = []
        for number in sentence.sources:
            passage = answer.passages[number - 1]
            if passage.article not in articles:
                articles.append(passage.article)
                sources.append(_quote(conversation.website, passage))
            numbers.append(articles.index(passage.article) + 1)
        sentences.append((sentence.text, tuple(dict.fromkeys(numbers))))
    return Phrased(tuple(sentences), tuple(sources))


def _quote(website: Website, passage: Passage) -> Quote:
    article = passage.article
    link = page_links.ARTICLE.url(website.key, article.pk, article.slug)
    return Quote(passage.text, article.name, f"{settings.PUBLIC_URL}{link}")
