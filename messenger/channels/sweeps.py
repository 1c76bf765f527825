"""The sweep behind the reactions of channels: one after another, for a bounded time, and one that
fails does not block the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

RUN_SECONDS = 30


def sweep(ids: Iterable[int], act: Callable[[int], None], *, failure: str) -> int:
    """Act on each of ``ids`` for at most half a minute; return on how many. What is left is due
    still, and the next sweep finds it. ``failure`` is logged with the id of one that fails."""
    begun, count = time.monotonic(), 0
    for one in ids:
        if time.monotonic() - begun > RUN_SECONDS:
            break
        try:
            act(one)
        except Exception:
            logger.exception(failure, one)
        count += 1
    return count
