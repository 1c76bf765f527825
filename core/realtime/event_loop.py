"""An event loop in a background thread, for pushes from workers and commands.

Without it each push would create and discard a loop, a channel layer and connections to both
engines, at several times the cost of the push. Web processes have a loop of their own and must not
use this one: the work may need the very thread that waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5

_loop: asyncio.AbstractEventLoop | None = None


def start() -> None:
    """Start the loop. Called once, by a worker's process after its fork and by ``manage.py``."""
    global _loop
    _loop = asyncio.new_event_loop()
    threading.Thread(target=_loop.run_forever, name="pushes", daemon=True).start()


def is_there() -> bool:
    return _loop is not None


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` and wait for it; after ``PATIENCE_SECONDS`` cancel it and log a warning."""
    assert _loop is not None
    future = asyncio.run_coroutine_threadsafe(work, _loop)
    try:
        future.result(PATIENCE_SECONDS)
    except TookTooLong:
        future.cancel()
        logger.warning("gave up on pending pushes after %s s", PATIENCE_SECONDS)
