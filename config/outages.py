"""What people and programs are answered while PostgreSQL, or the storage of files, cannot be
reached.

Pages that only read are tried once more on another connection. Otherwise the answer is 503 with
``Retry-After``: a page that tries again by itself, or a form that still holds what was typed.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from config.api.problems import MEDIA_TYPE, body_of, problem
from config.body_limits import is_script, language_of, refusal
from core import request_ids
from core.db.retry import is_unreachable
from core.rejection import error, no_space, unavailable
from core.storage import StorageAway, is_full

logger = logging.getLogger(__name__)

RETRY_SECONDS = 3
SAFE = {"GET", "HEAD"}

Respond = Callable[[HttpRequest], HttpResponse]


class Unavailable(HttpResponse):
    """The answer while the database is away."""


def retry_reads(get_response: Respond) -> Respond:
    """Middleware that repeats a request which only reads, if its connection died under it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, Unavailable) and request.method in SAFE:
            # The pool throws a broken connection away, and lends another one to the repetition.
            connection.close()
            response = get_response(request)
        return response

    return middleware


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: answer an exception that no view has answered."""
    # Django calls this while it handles the error, but does not pass it on.
    fault = sys.exc_info()[1]
    if is_full(fault):
        return _no_space(request, fault)
    if isinstance(fault, StorageAway):
        logger.error("the storage of files cannot be used: %s (%s)", request.path, fault)
    elif is_unreachable(fault):
        logger.warning("the database cannot be reached: %s %s", request.method, request.path)
    else:
        return _fault_of_ours(request)
    accepted = request.headers.get("Accept-Language", "")
    typed = list(_shown(request.POST)) if request.method == "POST" else None
    kind, body = answer(request.path, accepted, typed=typed)
    response = Unavailable(body, status=HTTPStatus.SERVICE_UNAVAILABLE, content_type=kind)
    response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _fault_of_ours(request: HttpRequest) -> HttpResponse:
    """Answer with the id under which the log has the error."""
    status, request_id = HTTPStatus.INTERNAL_SERVER_ERROR, request_ids.current()
    with translation.override(language_of(request.headers.get("Accept-Language", ""))):
        sentence = _("Something went wrong on our side.")
        if request.path.startswith("/api/"):
            return problem(status, "failed", sentence)
        if is_script(request.path):
            return JsonResponse(error("failed", sentence), status=status)
        page = render_to_string("500.html", {"request_id": request_id})
    response = HttpResponse(page, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _no_space(request: HttpRequest, fault: BaseException | None) -> HttpResponse:
    """Answer whoever sent a file, or asked for one to be made, while the disk is full."""
    logger.error("the disk is full: %s %s was refused (%s)", request.method, request.path, fault)
    status = HTTPStatus.INSUFFICIENT_STORAGE
    accepted = request.headers.get("Accept-Language", "")
    if request.path.startswith("/api/"):
        with translation.override(language_of(accepted)):
            refused = no_space()
            said = body_of(status, refused.code, refused.text)
        kind, body = MEDIA_TYPE, json.dumps(said, ensure_ascii=False).encode()
    else:
        kind, body = refusal(status, request.path, accepted)
    response = HttpResponse(body, status=status, content_type=kind)
    response["Cache-Control"] = "no-store"
    return response


def answer(
    path: str,
    accepted_languages: str,
    *,
    typed: list[tuple[str, str]] | None = None,
    may_be_saved: bool = False,
) -> tuple[str, bytes]:
    """Return content type and body for whoever reads the answers of this address. ``typed`` are the
    fields of the form that was not stored, or ``may_be_saved`` all the same; ``None`` if this was a
    request for a page."""
    with translation.override(language_of(accepted_languages)):
        if path.startswith("/api/"):
            said = body_of(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", unavailable().text)
            return MEDIA_TYPE, json.dumps(said, ensure_ascii=False).encode()
        if is_script(path):
            body = json.dumps(error("unavailable", unavailable().text), ensure_ascii=False)
            return "application/json; charset=utf-8", body.encode()
        context = {"typed": typed, "may_be_saved": may_be_saved, "seconds": RETRY_SECONDS}
        page = render_to_string("outage.html", context)
        return "text/html; charset=utf-8", page.encode()


def typed_in(form: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form as it was sent, without passwords; none if it cannot be read."""
    try:
        return list(_shown(QueryDict(form)))
    except SuspiciousOperation:  # more fields than any form of ours has
        return []


def _shown(fields: QueryDict) -> Iterator[tuple[str, str]]:
    """Yield the fields of a form, without passwords."""
    for name, values in fields.lists():
        # All fields with passwords have the word in their names.
        if "password" not in name:
            yield from ((name, str(value)) for value in values)
