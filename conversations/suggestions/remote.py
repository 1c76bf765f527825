"""The HTTP client for a website's provider of suggestions, used in a worker.

The request is ``{"website", "language", "question"}``, the response ``{"suggestions": ["text",
...]}``. The question is redacted, unless the website sends personal data: then ``visitor`` (name)
and ``messages`` (the last ones, unchanged) are added. If anything fails, there is no suggestion.
After a few failures in a row the provider is not asked for a while.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import requests
from django.conf import settings as installation
from django.core.cache import cache
from requests_hardened import Config, Manager

from conversations.messages.validators import check_body
from conversations.models import Message, SuggestionSettings
from conversations.suggestions.finding import MOST, Asked, Provider, Suggested
from core.rejection import Rejected

logger = logging.getLogger(__name__)

PATIENCE = (2, 3)  # seconds: to connect, between two bytes
WHOLE_PATIENCE = 5.0
ANSWER_LIMIT = 64 * 1024
FAILURES = 3
LEFT_ALONE_SECONDS = 60
CONTEXT = 10


class Failed(Exception):
    """The provider's response is invalid. The text says why and does not contain the question."""


def provider_of(settings: SuggestionSettings) -> Provider:
    """Return the provider of a website, behind a circuit breaker."""

    def ask(asked: Asked) -> list[Suggested]:
        key = f"suggestions:failures:{settings.website_id}"
        if cache.get(key, 0) >= FAILURES:
            return []
        try:
            suggested = _suggested(_post(settings, _request_body(settings, asked)))
        except (Failed, requests.RequestException) as failed:
            cache.add(key, 0, LEFT_ALONE_SECONDS)
            cache.incr(key)
            logger.warning(
                "suggestion provider of website %s failed: %s",
                settings.website_id,
                failed if isinstance(failed, Failed) else type(failed).__name__,
            )
            return []
        cache.delete(key)
        return suggested

    return ask


def _request_body(settings: SuggestionSettings, asked: Asked) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "website": settings.website.key,
        "language": asked.language,
        "question": asked.redacted,
    }
    if settings.sends_personal_data:
        last = Message.objects.filter(conversation=asked.conversation).order_by("-seq")[:CONTEXT]
        payload["question"] = asked.question
        payload["visitor"] = {"name": asked.conversation.visitor.name}
        payload["messages"] = [
            {"author": message.author, "body": message.body} for message in reversed(last)
        ]
    return payload


def _post(settings: SuggestionSettings, body: dict[str, Any]) -> bytes:
    # No redirects, and no private addresses unless the installation allows them.
    http = Manager(
        Config(
            ip_filter_enable=not installation.PROVIDERS_MAY_BE_PRIVATE,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=PATIENCE,
            user_agent_override="Causerie",
        )
    )
    headers = {"Accept": "application/json"}
    if settings.provider_secret:
        headers["Authorization"] = f"Bearer {settings.provider_secret}"
    give_up = time.monotonic() + WHOLE_PATIENCE
    answer = http.send_request(
        "POST", settings.provider_url, json=body, headers=headers, stream=True
    )
    with answer:
        if answer.status_code != 200:
            raise Failed(f"status {answer.status_code}")
        content = b""
        for piece in answer.iter_content(8192):
            content += piece
            if len(content) > ANSWER_LIMIT:
                raise Failed("the answer is too long")
            if time.monotonic() > give_up:
                raise Failed("the answer took too long")
    return content


def _suggested(content: bytes) -> list[Suggested]:
    try:
        texts = json.loads(content)["suggestions"]
    except (ValueError, TypeError, KeyError):
        raise Failed("the answer has an unexpected format") from None
    if not isinstance(texts, list):
        raise Failed("the answer has an unexpected format")
    found = []
    for text in texts[:MOST]:
        try:
            found.append(Suggested("provider", check_body(text), score=1.0))
        except Rejected:
            continue
    return found
