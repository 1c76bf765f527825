"""The endpoint of page views: ``embed.js`` calls it for each page of a brand's site.

Raw ASGI, answered from a snapshot, because every page view of every visitor comes here. A POST, so
that no log stores the addresses of the pages; as plain text, so that browsers send no preflight.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models.websites import Side, is_among
from core import browser_features
from core.asgi.endpoint import Receive, Request, Scope, Send, serve
from core.asgi.json_body import PLAIN
from core.asgi.origins import check_page_of_website, is_our_host, is_own
from core.rejection import Rejected, unavailable, wrong_method
from core.web_addresses import host_of
from messenger.client_messages import embed_labels
from messenger.colours import text_on
from messenger.website_texts import language_among
from routing import demand_counter, install_check, snapshot_cache
from routing.snapshots import Answer, Brand
from routing.targeting import PageView

logger = logging.getLogger(__name__)

PATH = re.compile(r"^/messenger/(?P<key>[A-Za-z0-9_-]{1,32})/engagement/$")
WRITE_SECONDS = 10.0  # how long a process holds its counts before it writes them

Headers = list[tuple[bytes, bytes]]


def match(path: str) -> dict[str, str] | None:
    """Return the parts of a path that belongs to this endpoint, or ``None``."""
    matched = PATH.match(path)
    return matched.groupdict() if matched else None


async def handle(scope: Scope, receive: Receive, send: Send, parts: dict[str, str]) -> None:
    headers: Headers = [(b"vary", b"Origin")]

    async def answer(request: Request) -> tuple[int, dict[str, Any]]:
        return await _handle(request, headers)

    async def send_with_headers(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [*event["headers"], *headers]
        await send(event)

    await serve(scope, receive, send_with_headers, parts, answer)


async def _handle(request: Request, headers: Headers) -> tuple[int, dict[str, Any]]:
    if not is_our_host(request.headers.get("host", "")):
        raise Rejected("invalid", _("Unknown host."), 400)
    if request.method != "POST":
        headers.append((b"allow", b"POST"))
        raise wrong_method()
    sent = await request.json(PLAIN)
    at = timezone.now()
    try:
        snapshot = await snapshot_cache.shelf().get(request.match["key"], at=at)
    except snapshot_cache.Unavailable:
        headers.append((b"retry-after", b"2"))
        raise unavailable() from None
    if snapshot is None:
        raise Rejected("unknown_website", _("No website has this key."), 404)
    origin, host = request.headers.get("origin", ""), request.headers["host"]
    domains = snapshot.brand.domains
    check_page_of_website(origin, host, lambda page: is_among(page, domains))
    headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
    view = PageView.read(sent)
    answer = snapshot.answer(view, at=at)
    # Pages of our own, such as the preview, prove nothing about the site. The demo's shop is one.
    if not is_own(origin, host) or settings.DEMO:
        await install_check.record(snapshot.brand.website_id, host_of(origin), at=at)
    # A page that asks again is the same view, and is counted once.
    if sent.get("again") is not True:
        _count(answer, at=at)
    return 200, _as_json(answer, snapshot.brand, view)


def _as_json(answer: Answer, brand: Brand, view: PageView) -> dict[str, Any]:
    language = language_among(view.language, brand.language)
    payload: dict[str, Any] = {"engage": answer.may_engage}
    if answer.may_engage:
        payload["asynchronous"] = answer.is_asynchronous
    else:
        payload["reason"] = answer.reason
    if answer.opens_at is not None:
        payload["opens_at"] = answer.opens_at.isoformat()
        if not answer.may_engage:
            payload["shows"] = answer.shows
    if answer.again_in is not None:
        payload["again_in"] = answer.again_in
    if answer.calls:
        payload["calls"] = answer.calls.as_json()
    if answer.target is not None:
        payload["targeting"] = answer.target.id
    texts = answer.target.texts if answer.target and answer.may_engage else {}
    text = texts.get(language) or texts.get(brand.language, "")
    payload["notification"] = {"kind": "text" if text else "button", "text": text}
    payload["stays_open"] = brand.stays_open
    if brand.has_calls:
        payload["allow"] = browser_features.ALLOW
    return payload | _looks(brand.name, brand.accent, brand.side, language)


@lru_cache(maxsize=500)
def _looks(name: str, accent: str, side: str, language: str) -> dict[str, Any]:
    """Return what every answer to a website's pages has in common in one language."""
    with translation.override(language):
        labels = embed_labels()
    labels["frame"] = labels["frame"].replace("{brand}", name)
    inset = "auto 20px" if side == Side.END else "20px auto"
    return {
        "style": f"--accent: {accent}; --on-accent: {text_on(accent)}; --inset: {inset}",
        "brand": name,
        "labels": labels,
    }


class _Tally:
    """The process's counts of page views, on their way to the database (B21)."""

    def __init__(self) -> None:
        self.pages = demand_counter.Pages()
        self.written_at = monotonic()
        self.writing: asyncio.Task[None] | None = None

    async def write(self) -> None:
        try:
            await asyncio.to_thread(self._write_in_thread)
        except DatabaseError:
            logger.warning("could not count page views, retrying later", exc_info=True)

    def _write_in_thread(self) -> None:
        try:
            self.pages.write()
        finally:
            connections.close_all()  # back to the pool


_tallies: WeakKeyDictionary[asyncio.AbstractEventLoop, _Tally] = WeakKeyDictionary()


def _count(answer: Answer, *, at: datetime) -> None:
    if answer.target is None:
        return
    tally = _tallies.setdefault(asyncio.get_running_loop(), _Tally())
    tally.pages.count(answer.target.rule_id, is_engaged=answer.may_engage, at=at)
    if monotonic() - tally.written_at > WRITE_SECONDS:
        # Before the write, so that the views of the meantime do not start a second one.
        tally.written_at = monotonic()
        # Held by the tally: the event loop keeps only weak references to tasks.
        tally.writing = asyncio.create_task(tally.write())
