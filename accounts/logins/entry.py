"""The way in: every login passes here, by whatever proof, and then through the library's stages."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse

from accounts.logins import sessions
from accounts.models import User


def log_in(
    request: HttpRequest, user: User, *, method: str, redirect_url: str | None = None
) -> HttpResponse:
    """Log the user in after a first proof; return the next page, which may ask for a second one.

    A proof just given also counts as given again for something important in the next minutes.
    """
    if method != "single_sign_on":
        # An earlier login in this browser may have left it, and the logout would lead to that
        # provider.
        request.session.pop(sessions.PROVIDER, None)
    record_authentication(request, user, method=method, reauthenticated=True)
    response: HttpResponse = perform_login(request, Login(user=user, redirect_url=redirect_url))
    return response
