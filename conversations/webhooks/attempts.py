"""One attempt at a delivery: sign it, send it, and say how it ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from conversations.models import Trouble, Webhook, WebhookDelivery
from conversations.webhooks import payloads, schedule, signing
from conversations.webhooks.schedule import Outcome
from core import outside_calls
from core.text.cleaning import clean

SECONDS = 10.0
"""How long a receiver may take for its whole answer."""

ANSWER_LIMIT = 1000
LONGEST_WAIT = 3600
"""Seconds that a receiver may ask us to wait (``Retry-After``)."""


def connect(webhook: Webhook) -> outside_calls.Server:
    """Return a connection to a receiver; raise ``outside_servers.Forbidden``."""
    return outside_calls.Server(webhook.url, allowed=settings.PRIVATE_SERVERS)


def make(
    server: outside_calls.Server,
    delivery: WebhookDelivery,
    body: str,
    keys: Sequence[str],
    *,
    at: datetime,
) -> Outcome:
    """Send one delivery, signed at this moment."""
    headers = {"Content-Type": "application/json"}
    headers |= signing.headers_for(payloads.name_of(delivery), body, keys, at=at)
    began = time.monotonic()
    try:
        answer = server.send(
            "POST", body.encode(), headers=headers, seconds=SECONDS, limit=ANSWER_LIMIT
        )
    except outside_calls.TooSlow:
        return Outcome(False, Trouble.TIMEOUT, duration_ms=_since(began))
    except outside_calls.Failed:
        return Outcome(False, Trouble.CONNECTION, duration_ms=_since(began))
    return Outcome(
        answer.is_success,
        "" if answer.is_success else Trouble.STATUS,
        answer.status,
        clean(answer.content.decode("utf-8", "replace")),
        _since(began),
        wait_asked(answer) if answer.status in schedule.ASKS_TO_WAIT else 0,
    )


def wait_asked(answer: outside_calls.Answer) -> int:
    """Return the seconds of ``Retry-After``, within reason; 0 if there are none."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    text = headers.get("retry-after", "")
    # ``Retry-After`` may also be a date, which is left to the ordinary schedule.
    return min(int(text), LONGEST_WAIT) if text.isdecimal() and len(text) < 10 else 0


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
