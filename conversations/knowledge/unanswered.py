"""What visitors asked and nothing answered, by topic, for those who write the knowledge (B24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.models import QuerySet

from accounts.models import User, Website
from conversations.knowledge import articles, finding
from conversations.knowledge.grouping import Question, Topic, group
from conversations.models import Conversation, UnansweredQuestion
from core.text import search_languages
from core.text.text_search import spaced

LATEST = 500  # questions to bots that are grouped, and as many to agents
OF_AGENT = 0
"""The turn of a question to an agent: the first turn of a bot is 1."""
TOPICS = 40

# Plain SQL: PostgreSQL's stems are those by which articles are found.
STEMS = """
    SELECT id, tsvector_to_array(to_tsvector(config::regconfig, words))
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS asked (id, config, words)
"""


def record(conversation: Conversation, question: str, *, turn: int, at: datetime) -> None:
    """Record that the knowledge had no answer; once for each turn of the bot."""
    if question.strip():
        UnansweredQuestion.objects.get_or_create(
            conversation=conversation,
            turn=turn,
            defaults={
                "language": search_languages.base(conversation.language),
                "text": question,
                "asked_at": at,
            },
        )


def record_of_agent(conversation: Conversation, question: str, *, at: datetime) -> None:
    """Record what an agent was asked first, if articles do not answer it. Nothing is recorded of
    websites without articles in its language: there, everything would be unanswered."""
    website, language = conversation.website, conversation.language
    public = articles.public_of(website)
    if not public.filter(language=search_languages.base(language)).exists():
        return
    if not finding.matching(public, question, language, enough=finding.SURE):
        record(conversation, question, turn=OF_AGENT, at=at)


def visible_to(user: User) -> QuerySet[UnansweredQuestion]:
    """Return the questions from conversations that a user may read."""
    conversations = Conversation.objects.visible_to(user)
    return UnansweredQuestion.objects.filter(conversation__in=conversations.values("pk"))


def topics_of(user: User) -> list[Topic]:
    """Return the topics of the latest questions, without those that an article answers by now.

    What was asked of agents once is no topic: people also say good morning to them.
    """
    seen = visible_to(user).select_related("conversation")
    rows = [*seen.exclude(turn=OF_AGENT)[:LATEST], *seen.filter(turn=OF_AGENT)[:LATEST]]
    topics = [one for one in group(_questions(rows)) if _is_asked_again(one)]
    return list(islice(_open(topics), TOPICS))


def dismiss(user: User, ids: Iterable[int]) -> None:
    """Delete questions that need no article."""
    visible_to(user).filter(pk__in=list(ids)).delete()


def _is_asked_again(topic: Topic) -> bool:
    return len(topic.questions) > 1 or not topic.title.was_of_agent


def _open(topics: list[Topic]) -> Iterator[Topic]:
    websites = Website.objects.in_bulk({topic.title.website_id for topic in topics})
    for topic in topics:
        title = topic.title
        if finding.answer(websites[title.website_id], title.text, title.language) is None:
            yield topic


def _questions(rows: list[UnansweredQuestion]) -> list[Question]:
    words = {row.pk: spaced(row.text) for row in rows}
    configs = [search_languages.configuration(row.language) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(STEMS, [list(words), configs, list(words.values())])
        stems = dict(cursor.fetchall())
    return [
        Question(
            pk=row.pk,
            conversation_id=row.conversation_id,
            website_id=row.conversation.website_id,
            language=row.language,
            text=row.text,
            # Without a stem, such as "where?", only the same words are alike.
            stems=frozenset(stems[row.pk] or [words[row.pk]]),
            asked_at=row.asked_at,
            was_of_agent=row.turn == OF_AGENT,
        )
        for row in rows
    ]
