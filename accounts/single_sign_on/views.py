"""Views of single sign-on: to a provider, back from it, linking, and its word of a logout."""

from __future__ import annotations

import logging
import time

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts.access import StaffRequest, staff, wrong_method
from accounts.audit import acting
from accounts.logins.entry import log_in
from accounts.logins.reauthentication import freshly_proven
from accounts.models import ExternalIdentity, IdentityProvider
from accounts.single_sign_on import flow, people, sessions, tokens
from accounts.single_sign_on.people import NotAdmitted
from accounts.single_sign_on.tokens import Refused
from core.outside_calls import Failed
from core.rates import counters
from core.rejection import TooMany

logger = logging.getLogger(__name__)
METHOD = "single_sign_on"


def start(request: HttpRequest, key: str) -> HttpResponse:
    """Go to the provider to log in."""
    if request.method != "GET":
        return wrong_method(request, ("GET",))
    provider = get_object_or_404(IdentityProvider, key=key, is_enabled=True)
    try:
        counters.hit("single_sign_on", address=str(request.META.get("REMOTE_ADDR", "")))
    except TooMany as too_many:
        page = _problem(request, provider, "too_many", status=429)
        page["Retry-After"] = str(too_many.retry_after)
        return page
    return _go(request, provider, "login", _own_path(request, request.GET.get("next", "")))


@staff("GET")
def prove(request: StaffRequest) -> HttpResponse:
    """Prove again who one is, at the provider of one's identity."""
    identity = request.user.identities.filter(provider__is_enabled=True).first()
    if identity is None:
        return redirect("account")
    return _go(request, identity.provider, "prove", _own_path(request, request.GET.get("next", "")))


@freshly_proven("GET")
def link(request: StaffRequest, key: str) -> HttpResponse:
    """Link one's account with an identity at the provider."""
    provider = get_object_or_404(IdentityProvider, key=key, is_enabled=True)
    return _go(request, provider, "link", "")


@freshly_proven("POST")
def unlink(request: StaffRequest, pk: int) -> HttpResponse:
    """Remove the link to an identity at a provider."""
    identity = get_object_or_404(ExternalIdentity, pk=pk, user=request.user)
    with acting(request.user):
        is_done = people.unlink(identity, request)
    if is_done:
        messages.success(request, _("The link has been removed."))
    else:
        messages.error(
            request,
            _("Choose a password first. Without it, you could no longer log in to your account."),
        )
    return redirect("account")


def come_back(request: HttpRequest, key: str) -> HttpResponse:
    """The address to which the provider returns people."""
    if request.method != "GET":
        return wrong_method(request, ("GET",))
    provider = get_object_or_404(IdentityProvider, key=key, is_enabled=True)
    try:
        returned = flow.finish(request, provider)
        return _welcome(request, provider, returned)
    except (Refused, Failed) as fault:
        logger.warning("single sign-on by provider %s refused: %s", provider.pk, fault)
        reason = "away" if isinstance(fault, Failed) else "refused"
        if str(fault) == "cancelled":
            reason = "cancelled"
    except NotAdmitted as not_admitted:
        reason = not_admitted.reason
    return _problem(request, provider, reason, status=403)


def _welcome(
    request: HttpRequest, provider: IdentityProvider, returned: flow.Return
) -> HttpResponse:
    if returned.purpose == "login":
        user = people.arrive(provider, returned.claims)
        # What the session holds must not pass to another account.
        if request.user.is_authenticated and request.user != user:
            end_session(request)
        sessions.remember(request, provider, returned.claims, returned.id_token)
        return log_in(request, user, method=METHOD, redirect_url=returned.onward or None)
    user = request.user  # type: ignore[assignment]
    if not request.user.is_authenticated or user.pk != returned.user_id:
        raise Refused("another user")
    if returned.purpose == "link":
        with acting(user):
            people.link(provider, user, returned.claims, request)
        messages.success(request, _("Your account is linked. You can log in there from now on."))
        return redirect("account")
    subject = returned.claims["sub"]
    if not user.identities.filter(provider=provider, subject=subject).exists():
        raise Refused("another identity")
    record_authentication(request, user, method=METHOD, reauthenticated=True)
    return redirect(returned.onward)


def logout_elsewhere(request: HttpRequest) -> HttpResponse:
    """Lead on to the provider, to log out there, too, after the logout here."""
    if request.method != "GET":
        return wrong_method(request, ("GET",))
    address = request.session.pop("logout_elsewhere", "")
    if not address:
        return redirect("login")
    return render(request, "accounts/logins/logout_elsewhere.html", {"address": address})


# The provider's server sends this, and the signed token is its proof.
@csrf_exempt
def provider_logout(request: HttpRequest, key: str) -> HttpResponse:
    """The provider says that somebody has logged out there (OpenID Connect Back-Channel Logout)."""
    if request.method != "POST":
        return wrong_method(request, ("POST",))
    provider = get_object_or_404(IdentityProvider, key=key, is_enabled=True)
    token = request.POST.get("logout_token", "")
    try:
        claims = flow.read(
            provider,
            lambda keys: tokens.check_logout_token(
                token,
                keys=keys,
                issuer=provider.issuer,
                client_id=provider.client_id,
                now=time.time(),
            ),
        )
    except (Refused, Failed) as fault:
        logger.warning("logout by provider %s refused: %s", provider.pk, fault)
        return HttpResponse(status=400)
    with transaction.atomic():
        count = sessions.end(provider, claims)
    logger.info("provider %s ended %d sessions", provider.pk, count)
    return HttpResponse(status=200)


def _go(
    request: HttpRequest, provider: IdentityProvider, purpose: str, onward: str
) -> HttpResponse:
    user_id = request.user.pk if purpose != "login" else None
    try:
        address = flow.begin(request, provider, purpose=purpose, onward=onward, user_id=user_id)
    except Failed as fault:
        logger.warning("single sign-on by provider %s failed: %s", provider.pk, fault)
        return _problem(request, provider, "away", status=503)
    # ``redirect`` refuses addresses of over 2048 characters, and the provider's may be longer.
    response = HttpResponse(status=302)
    response["Location"] = address
    return response


def _problem(
    request: HttpRequest, provider: IdentityProvider, reason: str, *, status: int
) -> HttpResponse:
    context = {"provider": provider, "reason": reason}
    return render(request, "accounts/logins/single_sign_on_problem.html", context, status=status)


def _own_path(request: HttpRequest, url: str) -> str:
    is_own = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    return url if is_own else settings.LOGIN_REDIRECT_URL
