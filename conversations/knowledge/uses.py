"""Counting how articles help: no visitor, no question, only numbers for each day."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from conversations.models import Article, ArticleUse

DAYS = 30


def count_read(article: Article, *, at: datetime) -> None:
    _count(article, "reads", at)


def count_answer(article: Article, *, at: datetime) -> None:
    """Count that a visitor said that the article answered their question."""
    _count(article, "answers", at)


def _count(article: Article, column: str, at: datetime) -> None:
    zone = article.website.zone
    day = at.astimezone(zone).date()
    made, _is_new = ArticleUse.objects.get_or_create(article=article, day=day)
    began_at = datetime.combine(day, time(0), tzinfo=zone)
    counted = ArticleUse.objects.filter(pk=made.pk)
    counted.update(began_at=began_at, **{column: F(column) + 1})


def with_uses(rows: QuerySet[Article], *, at: datetime) -> QuerySet[Article]:
    """Add ``reads`` and ``answers`` of the last ``DAYS`` days."""
    recent = ArticleUse.objects.filter(
        article=OuterRef("pk"), day__gt=(at - timedelta(days=DAYS)).date()
    ).values("article")
    sums = {
        column: Coalesce(Subquery(recent.annotate(sum=Sum(column)).values("sum")), 0)
        for column in ("reads", "answers")
    }
    return rows.annotate(**sums)
