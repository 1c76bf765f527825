"""The check of the signed tokens of a provider. No database, no request, no network.

OpenID Connect Core 1.0, section 3.1.3.7, and Back-Channel Logout 1.0, section 2.6. The signature is
always checked, although the core allows to leave that out where the token came by TLS.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures with a private key. Without these, a public key could be used as a shared secret."""

LEEWAY_SECONDS = 60
OLDEST_SECONDS = 600
"""A token is used at once. An older one is a repeated one."""

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

Keys = Sequence[Mapping[str, Any]]


class Refused(Exception):
    """A token that proves nothing. The text says why, without anything from the token."""


class UnknownKey(Refused):
    """None of the provider's known keys has signed it: the provider may have a new one."""


def check_id_token(
    token: str, *, keys: Keys, issuer: str, client_id: str, nonce: str, now: float
) -> dict[str, Any]:
    """Return the claims of an ID token that was issued to us, for the login with this nonce."""
    claims = _decode(token, keys=keys, issuer=issuer, client_id=client_id, now=now)
    its_nonce = claims.get("nonce")
    if not isinstance(its_nonce, str) or not nonce or not hmac.compare_digest(its_nonce, nonce):
        raise Refused("nonce")
    _subject(claims)
    return claims


def check_logout_token(
    token: str, *, keys: Keys, issuer: str, client_id: str, now: float
) -> dict[str, Any]:
    """Return the claims of a provider's word that a person or a session has logged out."""
    claims = _decode(token, keys=keys, issuer=issuer, client_id=client_id, now=now)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise Refused("events")
    if "nonce" in claims:  # An ID token must not be used as one.
        raise Refused("nonce")
    if not claims.get("jti") or not (claims.get("sub") or claims.get("sid")):
        raise Refused("subject")
    return claims


def _decode(token: str, *, keys: Keys, issuer: str, client_id: str, now: float) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise Refused("algorithm")
        key = jwt.PyJWK(dict(_key(keys, header.get("kid"), algorithm)), algorithm=algorithm)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "iat", "exp"], "strict_aud": False},
        )
    except jwt.PyJWTError as error:
        raise Refused(type(error).__name__) from None
    if claims["iat"] < now - OLDEST_SECONDS:
        raise Refused("age")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    # A token with several audiences was issued to the one that ``azp`` names.
    party = claims.get("azp", client_id if audiences == [client_id] else None)
    if party != client_id:
        raise Refused("authorized party")
    return claims


def _key(keys: Keys, kid: object, algorithm: str) -> Mapping[str, Any]:
    kinds = {"R": "RSA", "P": "RSA", "E": "EC"}
    kind = "OKP" if algorithm == "EdDSA" else kinds[algorithm[0]]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    # If a token names no key and several fit, the right one is not guessed.
    if len(fitting) != 1:
        raise UnknownKey("key")
    return fitting[0]


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise Refused("subject")
    return subject
