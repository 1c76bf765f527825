"""Calls to a website's language model: within its budget, masked, logged, and never in the way.

A call runs in a worker. At most ``LANGUAGE_MODEL_CALLS`` of them wait for a server at once, so that
slow ones leave workers for everything else. After a few failures in a row a website's server is not
called for a minute.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings as installation
from django.core.cache import cache
from django.db import transaction
from django.db.models import Sum

from conversations.language_models import endpoint
from conversations.language_models.endpoint import Turn
from conversations.language_models.masking import Masking
from conversations.models import (
    CallOutcome,
    Conversation,
    LanguageModelCall,
    LanguageModelSettings,
    Purpose,
)

logger = logging.getLogger(__name__)

BYTES_PER_TOKEN = 3  # An estimate on the safe side, until the server has counted.
FAILURES = 3
LEFT_ALONE_SECONDS = 60


class Busy(Exception):
    """As many calls as allowed are under way. Try again in a moment."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked for. ``turns`` are not masked yet."""

    purpose: Purpose
    turns: Sequence[Turn]
    most_tokens: int = 600


def settings_of(conversation: Conversation, switch: str) -> LanguageModelSettings | None:
    """Return the website's settings if it has switched this use on."""
    found = LanguageModelSettings.objects.filter(website=conversation.website_id, **{switch: True})
    return found.select_related("website").first()


def ask(
    settings: LanguageModelSettings,
    conversation: Conversation,
    request: Request,
    *,
    at: datetime,
    is_valid: Callable[[str], bool] = bool,
) -> str | None:
    """Return what the model wrote, with the masked pieces put back, or ``None``.

    ``is_valid`` judges the text before it is logged as used. Raise ``Busy`` if it cannot be asked
    right now. Call it outside a transaction: it waits for a foreign server.
    """
    failures = f"language-model:failures:{settings.website_id}"
    if cache.get(failures, 0) >= FAILURES:
        return None
    # Before the budget is charged: a call that has to wait must not be paid for.
    with _slot(settings.seconds):
        masking = Masking(names_in(conversation))
        turns = [
            Turn(turn.role, turn.content if turn.role == "system" else masking.mask(turn.content))
            for turn in request.turns
        ]
        body = endpoint.body_of(settings.model, turns, most_tokens=request.most_tokens)
        call = _reserve(settings, conversation, request, body, len(masking.replaced), at=at)
        if call is None:
            return None
        began = time.monotonic()
        try:
            completion = endpoint.complete(settings, body)
        except endpoint.Failed as failed:
            _note(call, CallOutcome.SLOW if failed.is_slow else CallOutcome.FAILED, began)
            # ``add`` starts the minute once, and ``incr`` does not prolong it.
            cache.add(failures, 0, LEFT_ALONE_SECONDS)
            cache.incr(failures)
            logger.warning("language model of website %s failed: %s", settings.website_id, failed)
            return None
        cache.delete(failures)
        text = masking.restore(completion.text)
        outcome = CallOutcome.DONE if is_valid(text) else CallOutcome.REFUSED
        _note(call, outcome, began, tokens=completion.tokens)
    return text if outcome == CallOutcome.DONE else None


def names_in(conversation: Conversation) -> list[str]:
    """Return the names that a conversation knows: its visitor's, and its agents'."""
    visitor = conversation.visitor
    agents = conversation.messages.filter(agent__isnull=False).order_by()
    named = agents.values_list("agent__display_name", flat=True).distinct()
    person = visitor.person.name if visitor.person else ""
    return [name for name in (visitor.name, person, *named) if name]


@contextmanager
def _slot(seconds: int) -> Iterator[None]:
    """Hold one of the installation's places to wait for a server. A killed worker's place comes
    back by itself."""
    places = range(installation.LANGUAGE_MODEL_CALLS)
    keys = (f"language-model:call:{number}" for number in places)
    key = next((key for key in keys if cache.add(key, 1, seconds + 5)), None)
    if key is None:
        raise Busy
    try:
        yield
    finally:
        cache.delete(key)


@transaction.atomic
def _reserve(
    settings: LanguageModelSettings,
    conversation: Conversation,
    request: Request,
    body: bytes,
    masked: int,
    *,
    at: datetime,
) -> LanguageModelCall | None:
    """Log a call before it is made, with an estimate of its tokens; ``None`` if the day's budget
    does not suffice. The lock makes two calls at once count each other."""
    LanguageModelSettings.objects.select_for_update().get(pk=settings.pk)
    local = at.astimezone(settings.website.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    today = LanguageModelCall.objects.filter(website=settings.website_id, sent_at__gte=midnight)
    spent = today.aggregate(tokens=Sum("tokens"))["tokens"] or 0
    tokens = len(body) // BYTES_PER_TOKEN + request.most_tokens
    if spent + tokens > settings.daily_tokens:
        return None
    return LanguageModelCall.objects.create(
        website_id=settings.website_id,
        conversation=conversation,
        purpose=request.purpose,
        model=settings.model,
        sent_at=at,
        sent_sha256=hashlib.sha256(body).hexdigest(),
        sent_bytes=len(body),
        masked=masked,
        tokens=tokens,
    )


def _note(
    call: LanguageModelCall, outcome: CallOutcome, began: float, *, tokens: int | None = None
) -> None:
    changes = {"outcome": outcome, "took_seconds": time.monotonic() - began}
    if tokens is not None:
        changes["tokens"] = tokens
    LanguageModelCall.objects.filter(pk=call.pk).update(**changes)
