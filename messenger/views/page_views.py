"""The endpoint by which the Messenger reports its visitor's page, once they have consented."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Website
from conversations.visitors import page_views, persons
from conversations.visitors.page_views import Seen, Value
from core.text.cleaning import line
from core.web_addresses import host_of
from messenger.geolocation import place_of
from messenger.views.conversations import page_url
from messenger.views.visitor_request import json_of, visitor_endpoint
from messenger.visitors import visitor_of
from routing.targeting import PageView

TITLE_LIMIT = 200


@visitor_endpoint("POST")
def seen(request: HttpRequest, website: Website) -> HttpResponse:
    """Record an opened page (R192), and what it reports about its visitor (R193).

    Nothing is recorded of visitors who have withdrawn consent.
    """
    visitor = visitor_of(request, website)
    if not persons.is_willing(visitor):
        return HttpResponse(status=204)
    sent = json_of(request)
    page_view = sent.get("view")
    view = PageView.read(page_view if isinstance(page_view, dict) else {})
    url, title = page_url(sent.get("url")), sent.get("title")
    page = Seen(
        url=url,
        title=line(title, TITLE_LIMIT) if isinstance(title, str) else "",
        referrer=_from_elsewhere(page_url(sent.get("referrer")), url),
        device=line(view.device),
        language=line(view.language),
        place=place_of(request, website),
        data={line(name): _label(value) for name, value in view.data.items()},
    )
    page_views.see(visitor.pk, page, at=timezone.now())
    return HttpResponse(status=204)


def _label(value: Value) -> Value:
    return line(value) if isinstance(value, str) else value


def _from_elsewhere(referrer: str, url: str) -> str:
    """A referrer of the same site adds nothing to the pages."""
    return "" if host_of(referrer) == host_of(url) else referrer
