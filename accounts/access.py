"""Access decorators for staff views, and the time zone in which pages are rendered."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone

from accounts.models import User

Params = ParamSpec("Params")


class StaffRequest(HttpRequest):
    """A request from a logged-in user."""

    user: User


StaffView = Callable[Concatenate[StaffRequest, Params], HttpResponse]
PlainView = Callable[Concatenate[HttpRequest, Params], HttpResponse]


def staff(*methods: str) -> Callable[[StaffView[Params]], PlainView[Params]]:
    """Restrict a view to logged-in users and to these HTTP methods."""

    def decorate(view: StaffView[Params]) -> PlainView[Params]:
        @wraps(view)
        def wrapper(
            request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_login(request)
            if request.method not in methods:
                return wrong_method(request, methods)
            staff_request = cast(StaffRequest, request)
            with timezone.override(zone_of(staff_request.user)):
                return view(staff_request, *args, **kwargs)

        return wrapper

    return decorate


def overseers(*methods: str) -> Callable[[StaffView[Params]], PlainView[Params]]:
    """Restrict a view to managers and administrators. For other users it is a 404."""

    def decorate(view: StaffView[Params]) -> PlainView[Params]:
        @wraps(view)
        def checked(
            request: StaffRequest, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponse:
            if not request.user.oversees:
                raise Http404
            return view(request, *args, **kwargs)

        return staff(*methods)(checked)

    return decorate


def wrong_method(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    """Return a 405 page."""
    response = render(request, "405.html", status=405)
    response["Allow"] = ", ".join(methods)
    return response


def zone_of(user: User) -> ZoneInfo:
    """Return the user's time zone, or UTC if this machine does not know it."""
    try:
        return ZoneInfo(user.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _to_login(request: HttpRequest) -> HttpResponse:
    """Redirect to the login page, and from there back. For a fragment, redirect the whole page."""
    is_fragment = request.headers.get("HX-Request") == "true"
    login = resolve_url("login")
    if is_fragment:
        response = HttpResponse(status=204)
        # A 302 would be followed by the browser itself, and the login page would land in the
        # fragment.
        response["HX-Redirect"] = login
        return response
    # ``redirect`` refuses addresses of over 2048 characters, and a filter of a list may be longer.
    response = HttpResponse(status=302)
    response["Location"] = f"{login}?{urlencode({'next': request.get_full_path()})}"
    return response
