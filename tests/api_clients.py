"""Programs that use the API in tests."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import User, Website

EVERY_SCOPE = [scope for scope, _label in tokens.SCOPES]


def with_token(
    user: User,
    *,
    scopes: Collection[str] = EVERY_SCOPE,
    websites: Collection[Website] = (),
    **more: Any,
) -> Client:
    """Return a client with a new token of ``user``."""
    at = more.pop("at", None) or timezone.now()
    _token, text = tokens.make(user, name="test", scopes=scopes, websites=websites, at=at, **more)
    return Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=False)


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(path, body or {}, content_type="application/json", headers=headers)
