"""The compilation of translations without the gettext tools, which a bare machine does not have."""

from __future__ import annotations

import os
from pathlib import Path

import polib


def compile_all(folder: Path) -> None:
    """Compile each .po under ``folder`` whose .mo is missing or older."""
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        draft = target.with_suffix(f".mo.{os.getpid()}")  # nobody ever reads half a file
        polib.pofile(str(source)).save_as_mofile(str(draft))
        draft.replace(target)
