"""The sessions that a provider opened: which they are, and their end on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.urls import reverse

from accounts.logins import sessions as logins
from accounts.models import IdentityProvider, Login
from accounts.single_sign_on import discovery
from core.encryption import Unreadable
from core.outside_calls import Failed


def remember(
    request: HttpRequest, provider: IdentityProvider, claims: Mapping[str, Any], id_token: str
) -> None:
    """Remember that the session begins by this provider."""
    sid = claims.get("sid")
    logins.remember_provider(
        request, provider.pk, sid[:255] if isinstance(sid, str) else "", id_token
    )


def logout_address(request: HttpRequest) -> str:
    """Return where to log out at the provider of this session, too; empty if it has none or does
    not answer. Ask before the session ends."""
    opened = logins.opened_by_provider(request)
    provider = IdentityProvider.objects.filter(
        pk=opened.get("provider", 0), is_enabled=True
    ).first()
    if provider is None:
        return ""
    try:
        page = discovery.configuration_of(provider.issuer).logout
        hint = logins.id_token_of(opened)
    except (Failed, Unreadable):
        return ""
    if not page:
        return ""
    sent = {
        "client_id": provider.client_id,
        "id_token_hint": hint,
        "post_logout_redirect_uri": request.build_absolute_uri(reverse("login")),
    }
    return f"{page}{'&' if '?' in page else '?'}{urlencode(sent)}"


def end(provider: IdentityProvider, claims: Mapping[str, Any]) -> int:
    """End the sessions that a checked logout token names, with their sockets; return how many."""
    opened = Login.objects.filter(provider=provider).exclude(session_key="")
    # ``check_logout_token`` refuses tokens that name neither a person nor a session.
    if claims.get("sub"):
        opened = opened.filter(
            user__identities__provider=provider, user__identities__subject=claims["sub"]
        )
    if claims.get("sid"):
        opened = opened.filter(provider_session=claims["sid"])
    return int(Session.objects.filter(pk__in=opened.values("session_key")).delete()[0])
