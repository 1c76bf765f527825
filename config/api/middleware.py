"""What holds for every request to the API, whichever view answers it: its id, its token, its rate
and its idempotency key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.models import ApiToken
from config.api.problems import problem
from core import idempotency, log_context, request_ids
from core.asgi.measured import name_view
from core.db.retry import may_retry
from core.rates import counters
from core.rates.windows import Standing
from core.rejection import TooMany

Respond = Callable[[HttpRequest], HttpResponse]

ROOT = "/api/v1/"
KEY_LIMIT = 255
ABOUT_ONE = re.compile("/(?:c|conversations)/")
STORED = frozenset(range(200, 300))
"""The statuses whose answers are stored. A request that failed has changed nothing."""


class Undone(Exception):
    """Takes an answer out of a transaction that must not be committed."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def name_requests(get_response: Respond) -> Respond:
    """Give every request the id of its ASGI request (``core.asgi.named``), or one of its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        offered = request_ids.current() or request.headers.get("X-Request-ID", "")
        with request_ids.named(offered) as request_id, log_context.begun(request=request):
            annotated: Any = request
            annotated.request_id = request_id  # Django logs some answers after this
            response = get_response(request)
        response["X-Request-ID"] = request_id
        _name_view(request)
        return response

    named: Any = middleware
    named.process_view = note_conversation
    return middleware


def note_conversation(request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Note which conversation a page is about, before its view runs."""
    if ABOUT_ONE.search(request.path):
        log_context.note(conversation=kwargs.get("number") or kwargs.get("conversation"))


def _name_view(request: Any) -> None:
    """Leave the name of the view for the measurements: its address, or the file's folder."""
    match = getattr(request, "resolver_match", None)
    if match is not None:
        name_view(getattr(request, "scope", {}), match.view_name)
    elif request.path.startswith(settings.STATIC_URL):
        name_view(getattr(request, "scope", {}), "static")


def admit(get_response: Respond) -> Respond:
    """Find the token of a request to the API, count the request, and answer repeats."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ROOT):
            return get_response(request)
        _identify(request)
        holder = holder_of(request)
        try:
            standing = counters.hit("api", account=holder)
        except TooMany as refused:
            response = problem(429, "too_many", refused.text)
            response["Retry-After"] = str(refused.retry_after)
            return response
        response = _repeatable(request, holder, get_response)
        _add_rate(response, standing)
        return response

    return middleware


def _identify(request: HttpRequest) -> None:
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    is_token = scheme.lower() == "bearer" and text.strip().startswith(tokens.PREFIX)
    annotated: Any = request
    annotated.has_token = is_token
    annotated.api_token = tokens.find(text.strip(), at=timezone.now()) if is_token else None


def holder_of(request: Any) -> str:
    """Return whose request this is, for limits and idempotency keys; empty for a stranger's."""
    token: ApiToken | None = request.api_token
    if token is not None:
        return f"token:{token.pk}"
    if request.has_token:
        return ""
    given = request.headers.get("Authorization", "")
    if given:  # the key of a shop system, or something that no view accepts
        return f"key:{hashlib.sha256(given.encode('utf-8', 'replace')).hexdigest()}"
    return f"user:{request.user.pk}" if request.user.is_authenticated else ""


def _add_rate(response: HttpResponse, standing: Standing | None) -> None:
    """Add the headers of draft-ietf-httpapi-ratelimit-headers."""
    if standing is not None:
        response["RateLimit-Policy"] = f'"api";q={standing.amount};w={standing.period}'
        response["RateLimit"] = f'"api";r={standing.remaining};t={standing.resets_in}'


def _repeatable(request: HttpRequest, holder: str, get_response: Respond) -> HttpResponse:
    """Answer a POST with an idempotency key once; a repeat gets the first answer again."""
    key = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not key or not holder:
        return get_response(request)
    if len(key) > KEY_LIMIT or not key.isascii() or not key.isprintable():
        return problem(400, "invalid", _("An idempotency key has 1 to 255 ASCII characters."))
    try:
        with transaction.atomic():
            return _once(request, holder, key, get_response)
    except Undone as undone:
        return undone.response
    except idempotency.KeyReused:
        return problem(
            409, "key_reused", _("This idempotency key was already used for another request.")
        )
    except OperationalError as error:
        if not may_retry(error):
            raise
        response = problem(
            409, "in_progress", _("The first request with this key is still in progress.")
        )
        response["Retry-After"] = "1"
        return response


def _once(request: HttpRequest, holder: str, key: str, get_response: Respond) -> HttpResponse:
    known = idempotency.claim(holder, key, _fingerprint(request), at=timezone.now())
    if known is not None:
        response = HttpResponse(known.body, status=known.status, content_type=known.content_type)
        response["Idempotency-Replayed"] = "true"
        return response
    response = get_response(request)
    if response.status_code not in STORED or response.streaming:
        raise Undone(response)
    kind = response.get("Content-Type", "")
    idempotency.store(holder, key, idempotency.Answer(response.status_code, kind, response.content))
    return response


def _fingerprint(request: HttpRequest) -> str:
    """Return the SHA-256 of what the request asks for."""
    asked = f"{request.method} {request.get_full_path()} {request.content_type}\n".encode()
    return hashlib.sha256(asked + request.body).hexdigest()
