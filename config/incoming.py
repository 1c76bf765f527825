"""Middleware that cleans a request before any view reads it (``core.text.cleaning``)."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from core.rejection import error
from core.text.cleaning import UNSTORABLE, clean

Answer = Callable[[HttpRequest], HttpResponse]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
PROGRAMS = ("/api/", "/messenger/")  # Scripts call these addresses, so their errors are JSON.


def clean_requests(get_response: Answer) -> Answer:
    """Middleware that removes what PostgreSQL cannot store from query strings, forms, file names
    and cookies. Answers 400 for a path that contains it or a form that cannot be read, 413 for one
    too large."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if UNSTORABLE.search(request.path):
            return refuse(request, HTTPStatus.BAD_REQUEST)
        try:
            _clean(request)
        except RequestDataTooBig:
            return refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except (SuspiciousOperation, MultiPartParserError, UnreadablePostError):
            return refuse(request, HTTPStatus.BAD_REQUEST)
        return get_response(request)

    return middleware


def refuse(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """Answer with an error in the shape that the reader of this address expects."""
    is_large = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    with translation.override(translation.get_language_from_request(request)):
        if not request.path.startswith(PROGRAMS):
            return render(request, "400.html", {"is_large": is_large}, status=status)
        code = "too_long" if is_large else "invalid"
        text = _("This request is too large.") if is_large else _("This request cannot be read.")
        return JsonResponse(error(code, text), status=status)


def _clean(request: HttpRequest) -> None:
    writable: Any = request  # Django's type stubs declare these as read-only.
    if _is_dirty(request.GET):
        writable.GET = _cleaned(request.GET)
    if any(UNSTORABLE.search(value) for value in request.COOKIES.values()):
        writable.COOKIES = {name: clean(value) for name, value in request.COOKIES.items()}
    if request.method == "POST" and request.content_type in FORMS:
        if _is_dirty(request.POST):
            writable.POST = _cleaned(request.POST)
        for name in request.FILES:
            for file in request.FILES.getlist(name):
                file.name = clean(file.name or "")


def _is_dirty(sent: QueryDict) -> bool:
    return any(UNSTORABLE.search(text) for name, texts in sent.lists() for text in (name, *texts))


def _cleaned(sent: QueryDict) -> QueryDict:
    fresh = QueryDict(mutable=True, encoding=sent.encoding)
    for name, texts in sent.lists():
        fresh.setlist(clean(name), [clean(text) for text in texts])
    return fresh
