"""The door by which the Messenger tells what page its visitor is on; not before he has agreed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Website
from conversations import browsing, persons
from conversations.browsing import Seen
from messenger.gate import door, json_of
from messenger.places import place_of
from messenger.views import page_url
from messenger.visitors import visitor_of
from routing.targeting import PageView

TITLE_LIMIT = 200


@door("POST")
def seen(request: HttpRequest, website: Website) -> HttpResponse:
    """A page was opened (R192), and what it says of its visitor (R193). Nothing is remembered of
    who has withdrawn his consent."""
    visitor = visitor_of(request, website)
    if not persons.is_willing(visitor):
        return HttpResponse(status=204)  # Heard, and not remembered.
    sent = json_of(request)
    told = sent.get("view")
    view = PageView.read(told if isinstance(told, dict) else {})
    url = page_url(sent.get("url"))
    page = Seen(
        url=url,
        title=_title(sent.get("title")),
        referrer=_from_elsewhere(page_url(sent.get("referrer")), url),
        device=view.device,
        language=view.language.replace("\x00", ""),
        place=place_of(request, website),
        data={_plain(name): _plain(value) for name, value in view.data.items()},
    )
    browsing.see(visitor.pk, page, at=timezone.now())
    return HttpResponse(status=204)


def _title(value: object) -> str:
    return " ".join(_plain(value).split())[:TITLE_LIMIT] if isinstance(value, str) else ""


def _plain(value: Any) -> Any:
    """PostgreSQL keeps no NUL, in no text."""
    return value.replace("\x00", "") if isinstance(value, str) else value


def _from_elsewhere(referrer: str, url: str) -> str:
    """A referrer of the same site says nothing that the pages do not."""
    return "" if urlsplit(referrer).netloc == urlsplit(url).netloc else referrer
