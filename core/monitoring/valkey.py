"""The connection to Valkey for what the product reports about itself."""

from __future__ import annotations

import redis
from django.conf import settings

PREFIX = "causerie:monitoring"
WAIT_SECONDS = 1.0
"""Nobody waits longer for a server that hangs."""
UNREACHABLE = (redis.RedisError, OSError)

_clients: dict[str, redis.Redis] = {}


def connection(url: str = "") -> redis.Redis:
    """Return this process's client for what is reported, or for another database of Valkey. It
    reconnects by itself, and may be shared by threads."""
    url = url or settings.RATE_LIMIT_URL
    if url not in _clients:
        _clients[url] = redis.Redis.from_url(
            url, socket_timeout=WAIT_SECONDS, socket_connect_timeout=WAIT_SECONDS
        )
    return _clients[url]
