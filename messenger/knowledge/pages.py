"""A website's public articles as pages, in its colours. They set no cookie and run no script."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from accounts.models import Website
from conversations.knowledge import articles, finding, markdown
from conversations.models import Article
from core import web_addresses
from core.text import search_languages
from messenger.colours import text_on
from messenger.website_texts import language_among

LISTED = 50
CACHED = "public, max-age=300"


@require_safe
def article(request: HttpRequest, key: str, article: int, slug: str) -> HttpResponse:
    """Show a public article; redirect from an address that its former title made."""
    website = get_object_or_404(Website, key=key)
    shown = articles.public_of(website).filter(pk=article).first()
    if shown is None:
        raise Http404
    if slug != shown.slug:
        return HttpResponsePermanentRedirect(address_of(shown))
    response = render_article(request, shown)
    response["Cache-Control"] = CACHED
    return response


@require_safe
def index(request: HttpRequest, key: str) -> HttpResponse:
    """List the public articles of a website in one language, or those that match a search."""
    website = get_object_or_404(Website, key=key)
    public = articles.public_of(website).select_related("website")
    codes = list(public.order_by("language").values_list("language", flat=True).distinct())
    language = search_languages.base(request.GET.get("language", "") or website.language)
    if codes and language not in codes:
        language = codes[0]
    query = request.GET.get("q", "").strip()[:100]
    rows = finding.search(public.filter(language=language), query)
    context = {
        "page": Paginator(rows.order_by("name", "pk"), LISTED).get_page(request.GET.get("page")),
        "query": query,
        "article_language": language,
        "languages": codes,
    }
    return _render(request, website, language, "help/index.html", context)


@require_safe
def colours(request: HttpRequest, key: str) -> HttpResponse:
    """Return the website's colours as a style sheet: the policy forbids inline styles."""
    website = get_object_or_404(Website, key=key)
    accent = website.accent if re.fullmatch(r"#[0-9a-fA-F]{6}", website.accent) else "#000000"
    sheet = f":root{{--accent:{accent};--on-accent:{text_on(accent)}}}"
    return HttpResponse(sheet, content_type="text/css", headers={"Cache-Control": CACHED})


def address_of(article: Article) -> str:
    """Return the path of a public article's page."""
    return reverse("article", args=[article.website.key, article.pk, article.slug])


def render_article(
    request: HttpRequest, article: Article, *, is_preview: bool = False
) -> HttpResponse:
    """Render an article, saved or not."""
    context = {
        "article": article,
        "article_language": article.language,
        "html": markdown.render(article.body),
        "is_preview": is_preview,
    }
    return _render(request, article.website, article.language, "help/article.html", context)


def _render(
    request: HttpRequest,
    website: Website,
    language: str,
    template: str,
    context: Mapping[str, object],
) -> HttpResponse:
    spoken = language_among(language, website.language)
    with translation.override(spoken), timezone.override(website.zone):
        known = {"website": website, "language": translation.get_language()}
        response = render(request, template, {**known, **context})
    logo = web_addresses.parse(website.logo_url)
    # Anything else, such as a semicolon, would end the directive of the policy.
    has_logo = logo is not None and re.fullmatch(r"[\w.:-]+", logo.host)
    logo_origin = f" {logo.scheme}://{logo.host}" if logo and has_logo else ""
    response["Content-Security-Policy"] = "; ".join(
        [
            "default-src 'none'",
            "style-src 'self'",
            f"img-src 'self'{logo_origin}",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )
    response["Referrer-Policy"] = "same-origin"
    response["Content-Language"] = language
    return response
