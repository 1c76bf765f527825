"""The id of the request that is being answered, for answers and log records."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
"""What a client or proxy may name a request; anything else could forge log records."""

_current: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def named(offered: str) -> Iterator[str]:
    """Give a request an id while it is answered: the offered one, or a random one."""
    request_id = offered if ACCEPTED.fullmatch(offered) else secrets.token_hex(8)
    before = _current.get()
    _current.set(request_id)
    try:
        yield request_id
    finally:
        _current.set(before)


def current() -> str:
    """Return the id of the present request; empty outside of one."""
    return _current.get()
