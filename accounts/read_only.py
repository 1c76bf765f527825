"""Middleware that lets auditors and quality reviewers read, and nothing else.

It holds for every page, for the administration and for the API, whatever a view allows: a view that
is added later need not know of these roles. The asynchronous entry points of agents do not pass
here; their statements ask whether the agent has the conversation, and such a role has none
(``accounts.entitlement``).
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts.logins.enforcement import VISITORS
from accounts.models import User
from core.rejection import error

Answer = Callable[[HttpRequest], HttpResponse]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN = frozenset(
    {
        *("login", "account_login", "mfa_authenticate", "mfa_login_webauthn", "choose_password"),
        *("account", "mfa_index", "change_password", "change_email", "confirm_email"),
        *("end_sessions", "end_session", "second_factor", "remove_factor"),
        *("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
        *("mfa_activate_totp", "mfa_add_webauthn"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
        *("single_sign_on", "single_sign_on_return", "single_sign_on_prove"),
        *("link_identity", "unlink_identity"),
        *("logout", "logout_elsewhere", "set_language"),
    }
)
"""The addresses at which everybody changes what is their own: session, account, language."""
_permitted: set[str] = set()


def permit(*names: str) -> None:
    """Register addresses of higher rooms at which users change only their own data."""
    _permitted.update(names)


def permitted() -> frozenset[str]:
    """Return the names of all addresses that may be written to by those who only read."""
    return OWN | _permitted


def refuse_writes(get_response: Answer) -> Answer:
    """Middleware; it stands after the one that finds the user."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(
        request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        user = _user_of(request)
        if request.path.startswith(VISITORS) or request.method in SAFE:
            return None
        if user is None or not user.reads_only:
            return None
        match = request.resolver_match
        # Addresses of the administration repeat some of these names under a namespace.
        if match is not None and not match.namespace and match.url_name in permitted():
            return None
        if request.path.startswith("/api/"):
            text = _("Your role is read-only. Nothing was changed.")
            return JsonResponse(error("reads_only", text), status=HTTPStatus.FORBIDDEN)
        raise PermissionDenied

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _user_of(request: HttpRequest) -> User | None:
    """Return the owner of the request's token, or the user of its session."""
    token = getattr(request, "api_token", None)
    user = token.owner if token is not None else request.user
    return user if isinstance(user, User) else None
