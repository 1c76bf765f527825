"""What a provider says of itself: its addresses and its public keys.

Both are remembered for a while in the process. A key that is not known is asked for again, at most
once a minute, so that a provider can change its keys at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.single_sign_on.calls import ask
from core.outside_calls import Failed

REMEMBERED_SECONDS = 3600
ASKED_AGAIN_SECONDS = 60
PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The addresses of a provider. ``logout`` is empty if it has no page for that."""

    issuer: str
    authorization: str
    token: str
    keys: str
    logout: str
    has_basic: bool
    names_itself: bool


_remembered: dict[str, tuple[float, Any]] = {}


def configuration_of(issuer: str) -> Configuration:
    """Return the provider's configuration; raise ``Failed``."""
    url = issuer.rstrip("/") + PATH
    known = _remembered.get(url)
    if known and monotonic() - known[0] < REMEMBERED_SECONDS:
        return known[1]  # type: ignore[no-any-return]
    configuration = _read(issuer, ask(url))
    _remembered[url] = (monotonic(), configuration)
    return configuration


def keys_of(configuration: Configuration, *, again: bool = False) -> list[dict[str, Any]]:
    """Return the provider's public keys; ``again`` asks for new ones. Raise ``Failed``."""
    known = _remembered.get(configuration.keys)
    longest = ASKED_AGAIN_SECONDS if again else REMEMBERED_SECONDS
    if known and monotonic() - known[0] < longest:
        return known[1]  # type: ignore[no-any-return]
    keys = ask(configuration.keys).get("keys")
    if not isinstance(keys, list):
        raise Failed("the keys have an unexpected format")
    usable = [key for key in keys if isinstance(key, dict)]
    _remembered[configuration.keys] = (monotonic(), usable)
    return usable


def forget() -> None:
    """Ask all providers again."""
    _remembered.clear()


def _read(issuer: str, document: dict[str, Any]) -> Configuration:
    if document.get("issuer") != issuer:
        raise Failed("the provider names another issuer")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Configuration(
        issuer=issuer,
        authorization=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        keys=_address(document, "jwks_uri"),
        logout=_address(document, "end_session_endpoint", optional=True),
        has_basic="client_secret_post" not in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(document: dict[str, Any], name: str, *, optional: bool = False) -> str:
    value = document.get(name)
    if optional and not value:
        return ""
    schemes = {"https"} if settings.PRODUCTION else {"https", "http"}
    if not isinstance(value, str) or urlsplit(value).scheme not in schemes:
        raise Failed(f"{name} is missing or not https")
    return value
