"""Writing articles: their text is stored with what they are found by. And who may read which."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.search import SearchVector
from django.db.models import QuerySet, Value

from accounts.models import User, Website
from accounts.rights import websites_of
from conversations.knowledge import markdown
from conversations.models import Article, ArticleState, Audience
from core.text import search_languages
from core.text.text_search import spaced


def save(article: Article, *, at: datetime) -> Article:
    """Save a new or changed article with its searchable text."""
    article.text = f"{article.name}\n{markdown.plain(article.body)}"
    configuration = search_languages.configuration(article.language)
    title, text = Value(spaced(article.name)), Value(spaced(article.text))
    article.stems = SearchVector(title, weight="A", config=configuration) + SearchVector(
        text, weight="B", config=configuration
    )
    article.changed_at = at
    article.save()
    return article


def changeable_by(user: User) -> QuerySet[Article]:
    """Return the articles that a user may write: those of the websites that they oversee."""
    return Article.objects.filter(website__in=websites_of(user).values("pk"))


def published() -> QuerySet[Article]:
    return Article.objects.filter(state=ArticleState.PUBLISHED)


def public_of(website: Website) -> QuerySet[Article]:
    """Return what a website's visitors may read."""
    return published().filter(website=website, audience=Audience.PUBLIC)


def readable_by(user: User) -> QuerySet[Article]:
    """Return the published articles of the websites on which a user answers or which they
    oversee."""
    own = Website.objects.filter(groups__members__user=user)
    both = websites_of(user).values("pk").union(own.values("pk"))
    return published().filter(website__in=list(both.values_list("pk", flat=True)))
