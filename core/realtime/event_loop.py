"""An event loop in a thread of its own, for processes that have none and something to push.

Without it each push of a worker or a command would make a loop, a channel layer and connections to
both engines, and throw them away again: several times what the push itself costs. Web processes
have a loop, and must not use this one: what waits here may need the very thread that is waiting.
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
    """Have a loop from now on; called once, by a worker's process after its fork and by
    ``manage.py``."""
    global _loop
    _loop = asyncio.new_event_loop()
    threading.Thread(target=_loop.run_forever, name="pushes", daemon=True).start()


def is_there() -> bool:
    return _loop is not None


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` and wait for it; after ``PATIENCE_SECONDS`` it is given up, and said so."""
    assert _loop is not None
    future = asyncio.run_coroutine_threadsafe(work, _loop)
    try:
        future.result(PATIENCE_SECONDS)
    except TookTooLong:
        future.cancel()
        logger.warning("pushes were given up after %s s", PATIENCE_SECONDS)
