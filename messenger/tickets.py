"""Tickets: each opens one socket of a visitor, within a minute.

A browser cannot send a header with a WebSocket, and a token in a URL would end up in logs.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from messenger.visitors import hash_token

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Holder:
    """The visitor of a ticket, and the only conversation if they came by a link in an e-mail."""

    visitor_id: int
    only: str | None


def issue(visitor_id: int, only: uuid.UUID | None = None) -> str:
    ticket = secrets.token_urlsafe(32)
    cache.set(_key(ticket), [visitor_id, str(only) if only else None], SECONDS)
    return ticket


def redeem(ticket: str) -> Holder | None:
    """Return the holder of ``ticket``, once; ``None`` if it is unknown or used."""
    key = _key(ticket)
    found: list[Any] | None = cache.get(key)
    # If two read it at once, the server lets only one delete it.
    return Holder(*found) if found is not None and cache.delete(key) else None


def _key(ticket: str) -> str:
    return f"ticket:{hash_token(ticket)}"
