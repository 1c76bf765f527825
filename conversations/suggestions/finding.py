"""Finding replies to a question: canned replies, articles and past answers, in its language.

PostgreSQL finds past answers by questions that share stems with this one (full text, in the
language's configuration), misspelt ones included (trigrams), and ranks them by both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db import connection

from accounts.models import Agent
from conversations import page_links
from conversations.canned import library, variables
from conversations.knowledge import articles, finding
from conversations.models import Audience, Conversation
from conversations.suggestions.screening import redact
from core.text import search_languages
from core.text.text_search import spaced

MOST = 3
ENOUGH = 0.32  # Below, a suggestion would be noise.
CANDIDATES = 40
CANNED_BONUS = 0.08  # Canned replies are written for reuse.


@dataclass(frozen=True, slots=True)
class Asked:
    """A visitor's ``question`` as written, with its conversation and agent."""

    conversation: Conversation
    agent: Agent
    question: str

    @property
    def language(self) -> str:
        return search_languages.base(self.conversation.language)

    @property
    def redacted(self) -> str:
        return redact(self.question, names=[self.conversation.visitor.name])


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggested reply; ``source`` is ``canned``, ``article``, ``answer`` or ``provider``.

    ``page`` is where an agent reads an article. The ``body`` of one for agents only is empty.
    """

    source: str
    body: str
    title: str = ""
    score: float = 0.0
    page: str = ""

    def plain(self) -> dict[str, Any]:
        return asdict(self)


class Provider(Protocol):
    """A source of suggestions, which returns any number of them, the best first."""

    def __call__(self, asked: Asked) -> list[Suggested]: ...


STEMS = "to_tsvector(%(config)s::regconfig, %(question)s)"
# Only the rarest stems of the question are searched for, up to this share of all questions: "hello"
# and "please" would match half the table.
SPREAD = 0.06
ALIKE = 0.4
OF_WORDS = """
    schemaname = ANY(current_schemas(false))
    AND tablename = 'conversations_pastanswer' AND attname = 'words'
"""
# Plain SQL: it reads the statistics and the stems of the index, for which the ORM has no words.
# ``vocabulary``: the common stems, from PostgreSQL's statistics; all stems if there are none yet.
# ``meant``: a stem that is not among them also counts as the most similar one, to allow for typing
# errors. ``share``: the part of the visitor's stems that a question contains.
ANSWERS = f"""
    WITH vocabulary AS MATERIALIZED (
        SELECT unnest(most_common_elems::text::text[]) AS common,
            unnest(most_common_elem_freqs) AS freq
        FROM pg_stats WHERE {OF_WORDS}
        UNION ALL
        SELECT word, 0 FROM (SELECT WHERE NOT EXISTS (SELECT FROM pg_stats WHERE {OF_WORDS})) young,
        LATERAL ts_stat('SELECT words FROM conversations_pastanswer LIMIT 1000')
    ), meant AS MATERIALIZED (
        SELECT said, coalesce(known.common, alike.common, said) AS stem,
            coalesce(known.freq, alike.freq, 0) AS freq
        FROM unnest(tsvector_to_array({STEMS})) AS said
        LEFT JOIN vocabulary known ON known.common = said
        LEFT JOIN LATERAL (
            SELECT v.common, v.freq FROM vocabulary v
            WHERE known.common IS NULL AND similarity(v.common, said) >= {ALIKE}
            ORDER BY similarity(v.common, said) DESC, v.common LIMIT 1
        ) alike ON true
    ), asked AS MATERIALIZED (
        SELECT string_agg(quote_literal(stem), ' | ')::tsquery AS query
        FROM (
            SELECT stem, row_number() OVER rarest AS place, sum(freq) OVER rarest AS spread
            FROM (
                SELECT stem, freq FROM meant UNION SELECT said, 0 FROM meant WHERE said <> stem
            ) either WINDOW rarest AS (ORDER BY freq, stem)
        ) ranked
        WHERE spread <= {SPREAD} OR place <= 2
    ), near AS MATERIALIZED (
        SELECT p.id, p.answer, p.question, tsvector_to_array(p.words) AS stems
        FROM conversations_pastanswer p, asked
        WHERE p.website_id = %(website)s AND p.language = %(language)s
        AND p.words @@ asked.query
        ORDER BY ts_rank(p.words, asked.query) DESC, p.id DESC LIMIT {CANDIDATES}
    )
    SELECT answer, similarity(question, %(question)s) AS looks, (
        SELECT count(*) FROM meant WHERE said = ANY(near.stems) OR stem = ANY(near.stems)
    )::float / greatest((SELECT count(*) FROM meant), 1) AS share
    FROM near ORDER BY id DESC
"""
CANNED = f"""
    SELECT r.id, (
        SELECT count(*) FROM unnest(tsvector_to_array({STEMS})) AS stem
        WHERE stem = ANY(tsvector_to_array(to_tsvector(%(config)s::regconfig, r.words)))
    )::float / greatest(length({STEMS}), 1) AS share,
    word_similarity(%(question)s, r.words) AS looks
    FROM conversations_cannedreply r WHERE r.id = ANY(%(ids)s)
"""


def suggest(asked: Asked) -> list[Suggested]:
    """Return the best canned replies, articles and past answers: the product's own ``Provider``."""
    question = spaced(asked.redacted)
    if len(question) < 3:
        return []
    values = {
        "config": search_languages.configuration(asked.language),
        "question": question,
        "website": asked.conversation.website_id,
        "language": asked.language,
    }
    return best([*_canned(asked, values), *_articles(asked), *_answers(values)])


def best(suggestions: Iterable[Suggested]) -> list[Suggested]:
    """Return the few suggestions that are good enough, best first, without duplicates."""
    by_body: dict[str, Suggested] = {}
    for one in sorted(suggestions, key=lambda one: -one.score):
        if one.score >= ENOUGH:
            by_body.setdefault(spaced(one.body or one.page), one)
    return list(by_body.values())[:MOST]


def _articles(asked: Asked) -> list[Suggested]:
    """Return articles; what is inserted is the title with the link, and nothing of what only agents
    may read."""
    rows = articles.published().filter(website=asked.conversation.website_id)
    suggestions = []
    for match in finding.matching(rows, asked.redacted, asked.language):
        article = match.article
        link = page_links.ARTICLE.url(article.website.key, article.pk, article.slug)
        is_public = article.audience == Audience.PUBLIC
        body = f"{article.name}\n{settings.PUBLIC_URL}{link}" if is_public else ""
        page = page_links.ARTICLE_AT_DESK.url(article.pk)
        suggestions.append(Suggested("article", body, article.name, match.score, page))
    return suggestions


def _answers(values: dict[str, Any]) -> list[Suggested]:
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS, values)
        rows = cursor.fetchall()
    return [
        Suggested("answer", body, score=0.5 * looks + 0.5 * share) for body, looks, share in rows
    ]


def _canned(asked: Asked, values: dict[str, Any]) -> list[Suggested]:
    usable = library.usable_by(asked.agent, asked.conversation)
    replies = {
        reply.pk: reply
        # The stems of each are computed in the query, so their number is limited.
        for reply in usable.filter(language__in=["", asked.language]).order_by("-uses")[:300]
        if reply.body
    }
    with connection.cursor() as cursor:
        cursor.execute(CANNED, values | {"ids": list(replies)})
        rows = cursor.fetchall()
    known = library.values_of(asked.conversation, asked.agent)
    suggestions = []
    for pk, share, looks in rows:
        score = 0.5 * share + 0.5 * looks + (CANNED_BONUS if share else 0)
        body = variables.fill(replies[pk].body, known).text
        suggestions.append(Suggested("canned", body, replies[pk].name, score))
    return suggestions
