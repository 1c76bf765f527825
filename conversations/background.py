"""An event loop in a thread of its own, for code that is not async and has something to push.

Without it each push of a worker would make a loop, a channel layer and a connection to Valkey, and
throw them away again: several times what the push itself costs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
"""By process: a fork inherits the dictionary, and not the thread that its loop runs in."""


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` and wait for it; after ``PATIENCE_SECONDS`` it is given up, and said so."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        future.result(PATIENCE_SECONDS)
    except TookTooLong:
        future.cancel()
        logger.warning("pushes were given up after %s s", PATIENCE_SECONDS)


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="pushes", daemon=True).start()
            _loops[os.getpid()] = loop
        return loop
