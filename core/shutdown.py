"""The shutdown flag of a worker. Long tasks check it from time to time and put back what they have
begun, so that the next worker can start at once and this one need not be killed.

Celery notifies only the worker's main process. Its children inherit one shared byte, which needs no
lock: a killed child could hold a lock for ever.
"""

from __future__ import annotations

import mmap

_byte = mmap.mmap(-1, 1)


def announce() -> None:
    """Set the flag. Called once, by the worker's main process."""
    _byte[0] = 1


def is_near() -> bool:
    """Return whether long work should stop now. Always False in a web process."""
    return _byte[0] == 1
