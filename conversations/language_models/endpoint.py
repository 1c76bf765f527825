"""The HTTP client for servers that speak OpenAI's chat completions: vLLM, Ollama, Mistral, others.

One request without streaming, tools or a choice of answers. Whatever the server returns is text,
which nothing carries out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings as installation

from conversations.models import LanguageModelSettings
from core import encryption, outside_calls, outside_servers
from core.text import strict_json
from core.text.cleaning import clean

logger = logging.getLogger(__name__)

ANSWER_LIMIT = 256 * 1024
TEMPERATURE = 0.2


class Failed(Exception):
    """There is no usable answer. The text says why, and contains nothing that was sent."""

    is_slow = False


class TooSlow(Failed):
    is_slow = True


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a prompt; ``role`` is ``system`` or ``user``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote, and the tokens that the server has counted, if it has."""

    text: str
    tokens: int | None


def check(url: str) -> None:
    """Raise ``outside_servers.Forbidden`` if a server may not be called."""
    outside_calls.check(url, allowed=installation.PRIVATE_SERVERS)


def body_of(model: str, turns: Sequence[Turn], *, most_tokens: int) -> bytes:
    """Return the body of a request: exactly what leaves the installation."""
    return json.dumps(
        {
            "model": model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in turns],
            "max_tokens": most_tokens,
            "temperature": TEMPERATURE,
            "stream": False,
        },
        ensure_ascii=False,
    ).encode()


def complete(settings: LanguageModelSettings, body: bytes) -> Completion:
    """Send a request within the website's time; raise ``Failed``."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    url = f"{settings.base_url.rstrip('/')}/chat/completions"
    try:
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key.reveal()}"
        with outside_calls.Server(url, allowed=installation.PRIVATE_SERVERS) as server:
            answer = server.send(
                "POST", body, headers=headers, seconds=settings.seconds, limit=ANSWER_LIMIT
            )
    except outside_calls.TooSlow:
        raise TooSlow("the answer took too long") from None
    except outside_calls.Failed as failed:
        raise Failed(str(failed)) from None
    except (outside_servers.Forbidden, encryption.Unreadable) as failed:
        raise Failed(type(failed).__name__) from None
    if answer.status != 200:
        raise Failed(f"status {answer.status}")
    if answer.is_cut:
        raise Failed("the answer is too long")
    return read(answer.content)


def read(content: bytes) -> Completion:
    """Return the text of a response; raise ``Failed`` if it has another format, or was cut."""
    try:
        data = strict_json.parse(content)
        choice = data["choices"][0]
        text = choice["message"]["content"]
        # "length": it stopped in the middle of a sentence.
        is_whole = choice.get("finish_reason") in (None, "stop")
        counted = (data.get("usage") or {}).get("total_tokens")
    except (strict_json.Malformed, TypeError, KeyError, IndexError, AttributeError):
        raise Failed("the answer has an unexpected format") from None
    if not isinstance(text, str) or not text.strip():
        raise Failed("the answer is empty")
    if not is_whole:
        raise Failed("the answer is not complete")
    # Not ``isinstance``, for which true is a number.
    tokens = counted if type(counted) is int and 0 <= counted < 10_000_000 else None
    return Completion(clean(text).strip(), tokens)
