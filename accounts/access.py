"""Who may open a page of the staff, and in which time zone it is drawn for them."""

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
    """A request of somebody who is logged in."""

    user: User


View = Callable[Concatenate[StaffRequest, Params], HttpResponse]
Door = Callable[Concatenate[HttpRequest, Params], HttpResponse]


def staff(*methods: str) -> Callable[[View[Params]], Door[Params]]:
    """A page for everybody who is logged in, reached by ``methods`` only."""

    def decorate(view: View[Params]) -> Door[Params]:
        @wraps(view)
        def door(request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_login(request)
            if request.method not in methods:
                return wrong_method(request, methods)
            staff_request = cast(StaffRequest, request)
            with timezone.override(zone_of(staff_request.user)):
                return view(staff_request, *args, **kwargs)

        return door

    return decorate


def overseers(*methods: str) -> Callable[[View[Params]], Door[Params]]:
    """A page for managers and administrators; others find nothing there."""

    def decorate(view: View[Params]) -> Door[Params]:
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
    """405, as a page that says so."""
    response = render(request, "405.html", status=405)
    response["Allow"] = ", ".join(methods)
    return response


def zone_of(user: User) -> ZoneInfo:
    """The time zone a user reads dates in; UTC where his own is not known on this machine."""
    try:
        return ZoneInfo(user.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _to_login(request: HttpRequest) -> HttpResponse:
    """To the login page and back; a fragment sends the whole page there."""
    is_fragment = request.headers.get("HX-Request") == "true"
    login = resolve_url("login")
    if is_fragment:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = login
        return response
    response = HttpResponse(status=302)
    response["Location"] = f"{login}?{urlencode({'next': request.get_full_path()})}"
    return response
