"""All files of a storage, and how they move to another one while people work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.base import File

BLOCK = 1 << 20


@dataclass(slots=True)
class Moved:
    """What a move has done so far."""

    copied: int = 0
    already_there: int = 0
    vanished: int = 0
    """Erased or forgotten while it ran."""
    deleted: int = 0


class Damaged(Exception):
    """A copy differs from its original; the message is its name."""


def names(storage: Any, folder: str = "") -> Iterator[str]:
    """Yield the name of every file in ``storage``."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (f"{prefix}{file}" for file in sorted(files) if file)
    for inner in sorted(folders):
        yield from names(storage, f"{prefix}{inner}")


def digest(storage: Any, name: str) -> bytes:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with storage.open(name) as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.digest()


def move(
    source: Any,
    target: Any,
    *,
    delete: bool = False,
    tell: Callable[[Moved], None] = lambda _: None,
) -> Moved:
    """Copy every file, compare both by their digest, and delete the original if asked to. It may be
    stopped and run again at any time: what is there and equal is left alone. Raises ``Damaged``."""
    moved = Moved()
    for name in names(source):
        try:
            _copy(source, target, name, moved)
            if delete:
                source.delete(name)
                moved.deleted += 1
        except FileNotFoundError:
            moved.vanished += 1
        tell(moved)
    return moved


def _copy(source: Any, target: Any, name: str, moved: Moved) -> None:
    original = digest(source, name)
    if target.exists(name):
        if digest(target, name) == original:
            moved.already_there += 1
            return
        target.delete(name)  # cut off by an earlier run
    with source.open(name) as file:
        stored = target.save(name, File(file, name))
    # A storage changes the name if it has been taken meanwhile.
    if stored != name or digest(target, stored) != original:
        target.delete(stored)
        raise Damaged(name)
    moved.copied += 1
