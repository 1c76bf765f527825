"""Folders of personal data that no other user of the machine may read: uploads and mails."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def open_folder(folder: Path) -> None:
    """Create a folder that only we may enter; leave one that exists as it is."""
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)


def write(file: Path, content: bytes) -> None:
    """Write a new file that only we may read. Raise ``FileExistsError``."""
    # The mode is given on creation, since a chmod would come a moment too late. O_EXCL refuses a
    # link that somebody else has put there.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE), "wb") as opened:
        opened.write(content)


def close(folder: Path) -> int:
    """Take the rights of others from a folder and all that is in it; return how many were open.

    The folder itself is closed last. So one that is closed has been closed completely, and later
    calls take no time, however many files there are. Links are not followed.
    """
    if not folder.is_dir() or _is_closed(folder):
        return 0
    count = 0
    for place, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            path = Path(place, name)
            with suppress(FileNotFoundError):  # deleted meanwhile
                if not path.is_symlink() and not _is_closed(path):
                    path.chmod(FOLDER if path.is_dir() else FILE)
                    count += 1
    folder.chmod(FOLDER)
    return count + 1


def _is_closed(path: Path) -> bool:
    return not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
