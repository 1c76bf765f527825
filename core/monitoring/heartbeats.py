"""When beat last sent a task and a worker last finished one, for the whole installation.

A heartbeat is a key that expires, and its age is read from the time that it has left. So the clocks
of the machines do not matter.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from core.monitoring import valkey

logger = logging.getLogger(__name__)

BEAT, WORKER = "beat", "worker"
EVERY_SECONDS = 1.0
STORED_MILLISECONDS = 24 * 3600 * 1000

_noted_at: dict[str, float] = {}


def note(name: str) -> None:
    """Record that ``name`` is at work, at most once in ``EVERY_SECONDS`` for each process."""
    now = time.monotonic()
    if now - _noted_at.get(name, float("-inf")) < EVERY_SECONDS:
        return
    _noted_at[name] = now
    try:
        valkey.connection().set(_key(name), 1, px=STORED_MILLISECONDS)
    except valkey.UNREACHABLE as error:
        logger.warning("could not note that %s is at work: %s", name, error)


def ages() -> dict[str, float | None]:
    """Return how many seconds ago beat and a worker were last at work; ``None`` if that is more
    than a day ago or unknown. Raise what redis-py raises if Valkey does not answer."""
    pipe = valkey.connection().pipeline(transaction=False)
    for name in (BEAT, WORKER):
        pipe.pttl(_key(name))
    left: list[Any] = pipe.execute()
    return {
        name: (STORED_MILLISECONDS - each) / 1000 if each >= 0 else None
        for name, each in zip((BEAT, WORKER), left, strict=True)
    }


def _key(name: str) -> str:
    return f"{valkey.PREFIX}:heartbeat:{name}"
