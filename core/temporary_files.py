"""Temporary files: what has arrived and is not stored yet, in a folder that only we can read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.conf import settings

PREFIX = "causerie-"
LEFT_BEHIND = timedelta(hours=1)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is deleted when the block ends."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=settings.FILE_UPLOAD_TEMP_DIR) as made:
        yield Path(made)


def forget_left_behind(*, at: datetime) -> int:
    """Delete the folders of processes that were killed; return how many."""
    oldest = (at - LEFT_BEHIND).timestamp()
    left = [
        path
        for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(f"{PREFIX}*")
        if path.is_dir() and path.stat().st_mtime < oldest
    ]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def unnamed() -> IO[bytes]:
    """Return a file without a name: it goes when it is closed, or when the process ends."""
    return tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)
