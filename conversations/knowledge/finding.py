"""Finding articles: by the words of a search, and by a visitor's question.

A search finds articles that contain all its words (``core.text.text_search``). A question finds
articles that share its stems: ``score`` is the part of the question that an article contains, where
a rare stem counts for more than a common one, and a title for more than the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from accounts.models import Website
from conversations.knowledge import articles, markdown
from conversations.models import Article
from core.text import search_languages
from core.text.search_expressions import Saying, Words
from core.text.text_search import sought, spaced

MOST = 3
NEAR = 0.4  # Below, an offered article would be noise.
SURE = 0.5  # From here, a passage may answer.
LONGEST_QUESTION = 1000
LONGEST_PASSAGE = 900


@dataclass(frozen=True, slots=True)
class Match:
    """An article that may answer a question, and how well: from 0 to 1."""

    article: Article
    score: float


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of an article, as they are written there."""

    article: Article
    text: str


def search(rows: QuerySet[Article], words: str) -> QuerySet[Article]:
    """Filter the articles that contain all ``words``."""
    terms = sought(words)
    return rows.filter(Saying(Words(F("text")), terms)) if terms else rows


# Plain SQL: it takes stems apart and weighs them by how many articles contain them. A stem that no
# article contains counts little: people greet, and say who they are, before they ask.
MATCHES = """
    WITH asked AS MATERIALIZED (
        SELECT unnest(tsvector_to_array(to_tsvector(%(config)s::regconfig, %(question)s))) AS stem
    ), query AS MATERIALIZED (
        SELECT string_agg(quote_literal(stem), ' | ')::tsquery AS any FROM asked
    ), found AS MATERIALIZED (
        SELECT a.id, a.stems, ts_filter(a.stems, '{a}') AS title
        FROM conversations_article a, query
        WHERE a.id = ANY(%(ids)s) AND a.stems @@ query.any
    ), weighed AS MATERIALIZED (
        SELECT stem, coalesce(
            (SELECT ln(1 + %(total)s::float / count(*)) FROM found
            WHERE found.stems @@ quote_literal(stem)::tsquery HAVING count(*) > 0), 0.4
        ) AS weight
        FROM asked
    )
    SELECT id,
        coalesce(sum(weight) FILTER (WHERE stems @@ quote_literal(stem)::tsquery), 0)
            / sum(weight) AS share,
        coalesce(sum(weight) FILTER (WHERE title @@ quote_literal(stem)::tsquery), 0)
            / sum(weight) AS title_share
    FROM found, weighed GROUP BY id
"""
# The passage with most of the question, its heading included. If the words are only in the title,
# that is the first one.
PASSAGES = """
    SELECT place
    FROM unnest(%(passages)s::text[]) WITH ORDINALITY AS passage (words, place)
    LEFT JOIN unnest(tsvector_to_array(to_tsvector(%(config)s::regconfig, %(question)s))) AS stem
        ON to_tsvector(%(config)s::regconfig, words) @@ quote_literal(stem)::tsquery
    GROUP BY place ORDER BY count(stem) DESC, place LIMIT %(most)s
"""


def matching(
    rows: QuerySet[Article], question: str, language: str, *, enough: float = NEAR
) -> list[Match]:
    """Return the articles in ``language`` among ``rows`` that may answer, best first."""
    values = _values(question, language)
    own = rows.filter(language=search_languages.base(language))
    ids = list(own.values_list("pk", flat=True))
    if len(values["question"]) < 3 or not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(MATCHES, values | {"ids": ids, "total": len(ids)})
        scored = [(min(share * 0.8 + title * 0.4, 1.0), pk) for pk, share, title in cursor]
    best = sorted((one for one in scored if one[0] >= enough), key=lambda one: (-one[0], one[1]))
    by_pk = Article.objects.select_related("website").in_bulk([pk for _score, pk in best[:MOST]])
    return [Match(by_pk[pk], score) for score, pk in best[:MOST] if pk in by_pk]


def answer(website: Website, question: str, language: str) -> Passage | None:
    """Return the passage of a public article that answers best, or ``None`` where none does."""
    for match in matching(articles.public_of(website), question, language, enough=SURE):
        for heading_and_text in _best_sections(match.article, question, language, most=1):
            return Passage(match.article, heading_and_text[1][:LONGEST_PASSAGE])
    return None


def passages(website: Website, question: str, language: str) -> list[Passage]:
    """Return the passages of public articles that may answer, with their headings, best articles
    first."""
    return [
        Passage(match.article, f"{heading or match.article.name}: {text}"[:LONGEST_PASSAGE])
        for match in matching(articles.public_of(website), question, language)
        for heading, text in _best_sections(match.article, question, language, most=3)
    ]


def _best_sections(
    article: Article, question: str, language: str, *, most: int
) -> list[tuple[str, str]]:
    """Return the sections of an article with most of the question."""
    sections = markdown.sections(article.body)
    words = [spaced(f"{heading} {text}") for heading, text in sections]
    with connection.cursor() as cursor:
        values = _values(question, language) | {"passages": words, "most": most}
        cursor.execute(PASSAGES, values)
        return [sections[place - 1] for (place,) in cursor]


def _values(question: str, language: str) -> dict[str, Any]:
    return {
        "config": search_languages.configuration(language),
        "question": spaced(question[:LONGEST_QUESTION]),
    }
