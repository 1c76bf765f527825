"""The way to a provider and back: state, nonce and PKCE on the way there, checked on the way back.

The library keeps the state: random, in the session of this browser, used once, for ten minutes.
"""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import IdentityProvider
from accounts.single_sign_on import discovery, tokens
from accounts.single_sign_on.calls import ask
from accounts.single_sign_on.tokens import Refused
from core.encryption import Unreadable
from core.outside_calls import Failed

SCOPE = "openid profile email"
FRESH_SECONDS = 300
"""How old a login at the provider may be where it is asked for again."""


@dataclass(frozen=True, slots=True)
class Return:
    """Somebody who has come back from a provider with a valid proof."""

    purpose: str
    onward: str
    user_id: int | None
    claims: dict[str, Any]
    id_token: str


def begin(
    request: HttpRequest,
    provider: IdentityProvider,
    *,
    purpose: str = "login",
    onward: str = "",
    user_id: int | None = None,
) -> str:
    """Return the provider's address to go to; raise ``Failed`` if the provider does not answer.

    ``purpose``: ``login``, ``link`` (to the account ``user_id``) or ``prove`` (again).
    """
    configuration = discovery.configuration_of(provider.issuer)
    challenge = generate_code_challenge()
    nonce = secrets.token_urlsafe(32)
    state = {
        "purpose": purpose,
        "onward": onward,
        "user_id": user_id,
        "nonce": nonce,
        "verifier": challenge.pop("code_verifier"),
    }
    state_id = secrets.token_urlsafe(32)
    statekit.stash_state(request, provider_id=_name(provider), state=state, state_id=state_id)
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": address_of_return(request, provider),
        "scope": SCOPE,
        "state": state_id,
        "nonce": nonce,
        **challenge,
    }
    if purpose == "prove":
        # Some providers ignore ``prompt``. With ``max_age`` they must also say when the person
        # logged in.
        asked |= {"prompt": "login", "max_age": "0"}
    joint = "&" if "?" in configuration.authorization else "?"
    return f"{configuration.authorization}{joint}{urlencode(asked)}"


def finish(request: HttpRequest, provider: IdentityProvider) -> Return:
    """Return who has come back; raise ``Refused`` if that proves nothing, or ``Failed`` if the
    provider does not answer."""
    state = statekit.unstash_state(
        request, provider_id=_name(provider), state_id=request.GET.get("state", "")
    )
    if state is None:
        raise Refused("state")
    configuration = discovery.configuration_of(provider.issuer)
    # RFC 9207: an answer of one provider must not be taken for another's.
    named = request.GET.get("iss")
    if (named is not None or configuration.names_itself) and named != provider.issuer:
        raise Refused("issuer")
    code = request.GET.get("code", "")
    if not code or "error" in request.GET:
        raise Refused("cancelled")
    id_token = _exchange(request, provider, configuration, code, state["verifier"])
    claims = read(
        provider,
        lambda keys: tokens.check_id_token(
            id_token,
            keys=keys,
            issuer=provider.issuer,
            client_id=provider.client_id,
            nonce=state["nonce"],
            now=time.time(),
        ),
    )
    if state["purpose"] == "prove":
        proven_at = claims.get("auth_time")
        if not isinstance(proven_at, int | float) or proven_at < time.time() - FRESH_SECONDS:
            raise Refused("old login")
    return Return(state["purpose"], state["onward"], state["user_id"], claims, id_token)


def read(provider: IdentityProvider, check: Any) -> dict[str, Any]:
    """Check a token with the provider's keys, and once more with new ones if none fits."""
    configuration = discovery.configuration_of(provider.issuer)
    try:
        return check(discovery.keys_of(configuration))  # type: ignore[no-any-return]
    except tokens.UnknownKey:
        return check(discovery.keys_of(configuration, again=True))  # type: ignore[no-any-return]


def address_of_return(request: HttpRequest, provider: IdentityProvider) -> str:
    return request.build_absolute_uri(reverse("single_sign_on_return", args=[provider.key]))


def _exchange(
    request: HttpRequest,
    provider: IdentityProvider,
    configuration: discovery.Configuration,
    code: str,
    verifier: str,
) -> str:
    """Return the ID token for a code. The access token is not used."""
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": address_of_return(request, provider),
        "client_id": provider.client_id,
        "code_verifier": verifier,
    }
    headers = {}
    try:
        secret = provider.client_secret.reveal() if provider.client_secret else ""
    except Unreadable:
        raise Failed("the client secret cannot be read") from None
    if secret and configuration.has_basic:
        # RFC 6749, section 2.3.1: both parts are encoded before they are joined.
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif secret:
        sent["client_secret"] = secret
    answer = ask(configuration.token, form=sent, headers=headers)
    id_token = answer.get("id_token")
    if not isinstance(id_token, str):
        raise Refused("no ID token")
    return id_token


def _name(provider: IdentityProvider) -> str:
    return f"single-sign-on:{provider.pk}"
