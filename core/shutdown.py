"""Whether this worker has been asked to end: long work looks once in a while, and gives back what
it has begun, so that the next worker begins at once and nobody has to kill this one.

Celery tells only the worker's first process. One byte that its children share from their fork on
needs no lock, which a killed child might hold for ever.
"""

from __future__ import annotations

import mmap

_byte = mmap.mmap(-1, 1)


def announce() -> None:
    """Called once, by a worker's first process."""
    _byte[0] = 1


def is_near() -> bool:
    """Whether work that takes long had better stop here. Never in a web process."""
    return _byte[0] == 1
