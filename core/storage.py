"""Files on this machine's disk, whole or not at all, and what to say when a storage is full or
away."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Any

from django.core.files.storage import FileSystemStorage

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class WholeFiles(FileSystemStorage):
    """The default storage: a file that cannot be written to its end leaves nothing behind."""

    def _save(self, name: str, content: Any) -> str:
        try:
            stored: str = super()._save(name, content)  # type: ignore[misc]
        except OSError:
            # The caller must see the first error, not that of tidying up.
            with suppress(OSError):
                os.remove(self.path(name))
            raise
        return stored


class StorageAway(OSError):
    """The storage of files cannot be reached, or refuses us; the message is for the log."""


def is_full(error: BaseException | None) -> bool:
    """Return whether a disk, or somebody's share of it, is full."""
    return isinstance(error, OSError) and error.errno in FULL
