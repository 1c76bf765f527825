"""The HTTP client for a website's provider of suggestions, used in a worker.

The request is ``{"website", "language", "question"}``, the response ``{"suggestions": ["text",
...]}``. The question is redacted, unless the website sends personal data: then ``visitor`` (name)
and ``messages`` (the last ones, unchanged) are added. If anything fails, there is no suggestion.
After a few failures in a row the provider is not asked for a while.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.conf import settings as installation
from django.core.cache import cache

from conversations.messages.validators import check_body
from conversations.models import Message, SuggestionSettings
from conversations.suggestions.finding import MOST, Asked, Provider, Suggested
from core import encryption, outside_calls, outside_servers
from core.rejection import Rejected
from core.text import strict_json

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
ANSWER_LIMIT = 64 * 1024
FAILURES = 3
LEFT_ALONE_SECONDS = 60
CONTEXT = 10


def check(url: str) -> None:
    """Raise ``outside_servers.Forbidden`` if the provider's address may not be called. An
    installation may allow private ones, such as a model that it hosts itself."""
    if url:
        outside_calls.check(url, allowed=installation.PRIVATE_SERVERS)


class Failed(Exception):
    """The provider's response is invalid. The text says why and does not contain the question."""


NAMED = (Failed, outside_calls.Failed)


def provider_of(settings: SuggestionSettings) -> Provider:
    """Return the provider of a website, behind a circuit breaker."""

    def ask(asked: Asked) -> list[Suggested]:
        key = f"suggestions:failures:{settings.website_id}"
        if cache.get(key, 0) >= FAILURES:
            return []
        try:
            suggested = _suggested(_post(settings, _request_body(settings, asked)))
        except (
            Failed,
            encryption.Unreadable,
            outside_calls.Failed,
            outside_servers.Forbidden,
        ) as failed:
            # ``add`` starts the minute once, and ``incr`` does not prolong it.
            cache.add(key, 0, LEFT_ALONE_SECONDS)
            cache.incr(key)
            logger.warning(
                "suggestion provider of website %s failed: %s",
                settings.website_id,
                failed if isinstance(failed, NAMED) else type(failed).__name__,
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
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if settings.provider_secret:
        headers["Authorization"] = f"Bearer {settings.provider_secret.reveal()}"
    allowed = installation.PRIVATE_SERVERS
    with outside_calls.Server(settings.provider_url, allowed=allowed) as server:
        answer = server.send(
            "POST",
            json.dumps(body).encode(),
            headers=headers,
            seconds=PATIENCE_SECONDS,
            limit=ANSWER_LIMIT,
        )
    if answer.status != 200:
        raise Failed(f"status {answer.status}")
    if answer.is_cut:
        raise Failed("the answer is too long")
    return answer.content


def _suggested(content: bytes) -> list[Suggested]:
    try:
        texts = strict_json.parse(content)["suggestions"]
    except (strict_json.Malformed, TypeError, KeyError):
        raise Failed("the answer has an unexpected format") from None
    if not isinstance(texts, list):
        raise Failed("the answer has an unexpected format")
    suggestions = []
    for text in texts[:MOST]:
        try:
            suggestions.append(Suggested("provider", check_body(text), score=1.0))
        except Rejected:
            continue
    return suggestions
