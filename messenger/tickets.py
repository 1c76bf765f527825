"""Tickets: each opens one socket of a visitor, within a minute.

A browser cannot send a header with a WebSocket, and a token in an address would end in logs.
"""

from __future__ import annotations

import secrets

from django.core.cache import cache

from messenger.visitors import hash_token

SECONDS = 60


def issue(visitor_id: int) -> str:
    ticket = secrets.token_urlsafe(32)
    cache.set(_key(ticket), visitor_id, SECONDS)
    return ticket


def redeem(ticket: str) -> int | None:
    """The visitor that ``ticket`` was issued to, once; ``None`` where it is unknown or used."""
    key = _key(ticket)
    visitor_id: int | None = cache.get(key)
    # Of two that read it at once, the server lets one delete it.
    return visitor_id if visitor_id is not None and cache.delete(key) else None


def _key(ticket: str) -> str:
    return f"ticket:{hash_token(ticket)}"
