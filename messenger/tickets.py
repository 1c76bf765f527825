"""Tickets: each opens one socket of a visitor, within a minute.

A browser cannot send a header with a WebSocket, and a token in a URL would end up in logs. A ticket
is signed, so that it is known again without Valkey. That it was used is remembered there; while
Valkey is away, a ticket may open several sockets in its minute, and they are closed anyway as soon
as they cannot hear of anything.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from dataclasses import dataclass

from django.core import signing
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

SECONDS = 60
SALT = "messenger.tickets"


@dataclass(frozen=True, slots=True)
class Holder:
    """The visitor of a ticket, and the only conversation if they came by a link in an e-mail.

    ``token_hash`` is that of the token they showed, which a logout replaces.
    """

    visitor_id: int
    only: str | None
    token_hash: str | None


def issue(visitor_id: int, only: uuid.UUID | None = None, *, token_hash: str | None = None) -> str:
    number = secrets.token_urlsafe(16)
    return signing.dumps(
        [number, visitor_id, str(only) if only else None, token_hash], salt=SALT, compress=True
    )


def redeem(ticket: str) -> Holder | None:
    """Return the holder of ``ticket``, once; ``None`` if it is unknown, expired or used."""
    try:
        number, *holder = signing.loads(ticket, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    return Holder(*holder) if _is_first(number) else None


def _is_first(number: str) -> bool:
    """Return whether nobody has used the ticket. If two try at once, the server lets only one."""
    try:
        # ``add`` is atomic, and afterwards the ticket has expired by itself.
        return cache.add(f"ticket:{number}", 1, SECONDS)
    except RedisError:
        logger.warning("cannot remember that a ticket was used", exc_info=True)
        return True
