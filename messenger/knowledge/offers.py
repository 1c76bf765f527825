"""Articles in the Messenger, before the first message. Nothing that a visitor writes is stored."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.knowledge import articles, finding, markdown, uses
from conversations.models import Article
from core.rejection import Rejected
from core.text.cleaning import cut
from messenger.knowledge.pages import address_of
from messenger.views.visitor_request import json_of, visitor_endpoint

EXCERPT = 110


def settings_of(website: Website, language: str) -> dict[str, Any] | None:
    """Return what the page needs to offer articles; ``None`` if there are none in its language."""
    if not articles.public_of(website).filter(language=language).exists():
        return None
    return {
        "script": static("messenger/lazy/articles.js"),
        "style": static("messenger/lazy/articles.css"),
        "texts": {
            "title": _("These articles may help"),
            "answered": _("This answered my question"),
            "write": _("I would rather write"),
            "thanks": _("Good to know. You can still write to us at any time."),
            "failed": _("The article could not be loaded. You can write to us."),
            "new_tab": _("opens in a new tab"),
        },
    }


@visitor_endpoint("POST", door="articles")
def offered(request: HttpRequest, website: Website) -> HttpResponse:
    """Return public articles that may answer what a visitor is about to ask."""
    question = json_of(request).get("question")
    if not isinstance(question, str):
        raise Rejected("invalid", _("The question must be text."), 400)
    found = finding.matching(articles.public_of(website), question, get_language() or "")
    return JsonResponse({"articles": [_shown(one.article) for one in found]})


@visitor_endpoint("POST", door="articles")
def read(request: HttpRequest, website: Website) -> HttpResponse:
    """Return an article to read, and count that it was read."""
    article = _article(request, website)
    uses.count_read(article, at=timezone.now())
    shown = _shown(article) | {"html": markdown.render(article.body), "url": address_of(article)}
    return JsonResponse(shown)


@visitor_endpoint("POST", door="articles")
def answered(request: HttpRequest, website: Website) -> HttpResponse:
    """Count that an article answered a question."""
    uses.count_answer(_article(request, website), at=timezone.now())
    return HttpResponse(status=204)


def _article(request: HttpRequest, website: Website) -> Article:
    number = json_of(request).get("article")
    public = articles.public_of(website).select_related("website")
    # A bool is an int, too.
    if isinstance(number, int) and not isinstance(number, bool):
        article = public.filter(pk=number).first()
    else:
        article = None
    if article is None:
        raise Rejected("not_found", _("This article does not exist."), 404)
    return article


def _shown(article: Article) -> dict[str, Any]:
    text = next(iter(markdown.passages(article.body)), "").replace("\n", " ")
    return {
        "id": article.pk,
        "title": article.name,
        "excerpt": text if len(text) <= EXCERPT else f"{cut(text, EXCERPT)}…",
    }
