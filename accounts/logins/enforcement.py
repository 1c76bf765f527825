"""Middleware that leads users without a required second factor to set one up, and nowhere else.

It holds for every page, for the administration and for the API. The asynchronous entry points do
not pass here; their statements contain ``second_factors.LACKS``.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.logins import second_factors, sessions
from core.rejection import error

Answer = Callable[[HttpRequest], HttpResponse]

OPEN = frozenset(
    {
        "second_factor",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_view_recovery_codes",
        "account_reauthenticate",
        "confirm_email",
        "single_sign_on_prove",
        "single_sign_on_return",
        "logout",
        "set_language",
    }
)
"""The addresses by which one sets up a factor, or leaves."""

VISITORS = ("/messenger/", "/embed.js", "/demo/", "/static/", "/mail/", "/metrics")
"""Addresses that nobody's login opens."""


def require_second_factor(get_response: Answer) -> Answer:
    """Middleware; it stands after the one that finds the user."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(
        request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        if request.path.startswith(VISITORS) or not request.user.is_authenticated:
            return None
        # A page that refreshes its own fragments is no sign of a person.
        if request.method != "GET" or request.headers.get("HX-Request") != "true":
            sessions.touch(request.session, request.session.session_key, at=timezone.now())
        if not second_factors.must_set_up(request.user):
            return None
        match = request.resolver_match
        request.must_set_up = True  # type: ignore[attr-defined]
        if match is not None and match.url_name in OPEN:
            return None
        return _lead_there(request)

    # Not in the middleware itself, because the address is resolved only later.
    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _lead_there(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        text = _("Your role requires two-step login. Set it up on your account page.")
        return JsonResponse(error("second_factor", text), status=HTTPStatus.FORBIDDEN)
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        response["HX-Redirect"] = resolve_url("second_factor")
        return response
    return redirect("second_factor")
