"""Which replies answer a question: the website's canned ones, and past answers, in its language.

Past answers are found by PostgreSQL: questions that share stems with this one (full text, in the
configuration of the language), or look like it (trigrams: misspelt words too), ranked by both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from django.db import connection

from accounts.models import Agent
from conversations import languages
from conversations.canned import library, variables
from conversations.canned.ranking import fold
from conversations.models import Conversation
from conversations.suggestions.screening import redact

MOST = 3
ENOUGH = 0.32  # Below, a suggestion would be noise.
CANDIDATES = 40
CANNED_BONUS = 0.08  # Somebody wrote it to be said again.


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor wants to know, and where; ``question`` as it was written."""

    conversation: Conversation
    agent: Agent
    question: str

    @property
    def language(self) -> str:
        return languages.base(self.conversation.language)

    @property
    def redacted(self) -> str:
        return redact(self.question, names=[self.conversation.visitor.name])


@dataclass(frozen=True, slots=True)
class Suggested:
    """One reply that may fit; ``source`` is ``canned``, ``answer`` or ``provider``."""

    source: str
    body: str
    title: str = ""
    score: float = 0.0

    def plain(self) -> dict[str, Any]:
        return asdict(self)


class Provider(Protocol):
    """Whoever has suggestions; the best first, as many as there are."""

    def __call__(self, asked: Asked) -> list[Suggested]: ...


STEMS = "to_tsvector(%(config)s::regconfig, %(question)s)"
# The rarest stems of the question, as far as they stand in so much of all questions: "hello" and
# "please" would find half the table, and nothing by it. What is common the statistics know.
SPREAD = 0.06
FEW = 8
ASKED = f"""
    asked AS MATERIALIZED (
        SELECT string_agg(quote_literal(stem), ' | ')::tsquery AS query,
            greatest(length({STEMS}), 1) AS stems
        FROM (
            SELECT stem, row_number() OVER rarest AS place,
                sum(coalesce(freq, 0)) OVER rarest AS spread
            FROM unnest(tsvector_to_array({STEMS})) AS stem
            LEFT JOIN (
                SELECT unnest(most_common_elems::text::text[]) AS common,
                    unnest(most_common_elem_freqs) AS freq
                FROM pg_stats
                WHERE schemaname = ANY(current_schemas(false))
                AND tablename = 'conversations_pastanswer' AND attname = 'words'
            ) known ON common = stem
            WINDOW rarest AS (ORDER BY coalesce(freq, 0), stem)
        ) ranked
        WHERE spread <= {SPREAD} OR place <= 2
    )
"""
# ``share``: which part of the visitor's stems the text holds; ``looks``: how alike they look. Only
# where words find little, those that look alike are asked for: it costs more.
ANSWERS = f"""
    WITH {ASKED}, near AS MATERIALIZED (
        SELECT p.answer, p.question, p.words, p.id
        FROM conversations_pastanswer p, asked
        WHERE p.website_id = %(website)s AND p.language = %(language)s
        AND p.words @@ asked.query
        ORDER BY ts_rank(p.words, asked.query) DESC, p.id DESC LIMIT {CANDIDATES}
    ), alike AS MATERIALIZED (
        SELECT p.answer, p.question, p.words, p.id
        FROM conversations_pastanswer p
        WHERE (SELECT count(*) FROM near) < {FEW}
        AND p.website_id = %(website)s AND p.language = %(language)s
        AND p.question %% %(question)s
        ORDER BY similarity(p.question, %(question)s) DESC LIMIT {CANDIDATES}
    )
    SELECT answer, similarity(question, %(question)s) AS looks, (
        SELECT count(*) FROM unnest(tsvector_to_array({STEMS})) AS stem
        WHERE stem = ANY(tsvector_to_array(words))
    )::float / asked.stems AS share
    FROM (SELECT * FROM near UNION SELECT * FROM alike) found, asked
    ORDER BY id DESC
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
    """Of our own: canned replies and past answers. A ``Provider``."""
    question = asked.redacted
    if len(question) < 3:
        return []
    values = {
        "config": languages.configuration(asked.language),
        "question": question,
        "website": asked.conversation.website_id,
        "language": asked.language,
    }
    return best([*_canned(asked, values), *_answers(values)])


def best(suggestions: Iterable[Suggested]) -> list[Suggested]:
    """The few that are good enough, best first, none twice."""
    found: dict[str, Suggested] = {}
    for one in sorted(suggestions, key=lambda one: -one.score):
        if one.score >= ENOUGH:
            found.setdefault(fold(one.body), one)
    return list(found.values())[:MOST]


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
        for reply in usable.filter(language__in=["", asked.language]).order_by("-uses")[:300]
        if reply.body
    }
    with connection.cursor() as cursor:
        cursor.execute(CANNED, values | {"ids": list(replies)})
        rows = cursor.fetchall()
    known = library.values_of(asked.conversation, asked.agent)
    found = []
    for pk, share, looks in rows:
        score = 0.5 * share + 0.5 * looks + (CANNED_BONUS if share else 0)
        body = variables.fill(replies[pk].body, known).text
        found.append(Suggested("canned", body, replies[pk].name, score))
    return found
