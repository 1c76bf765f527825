"""Answers of another product's API, saved as files in a folder: what both converters share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from core.text import strict_json
from messenger.moving.lines import LONGEST, Line

FILES = "files"
UNSAVED = "its bytes are not in the folder files"


def pages(folder: Path, stem: str) -> Iterator[tuple[str, Any]]:
    """Yield the saved pages ``stem.json``, ``stem-1.json`` and so on, in the order of their
    numbers: the place, and the value or the reason why there is none (a ``str``)."""
    for path in _paths(folder, stem):
        if path.suffix == ".jsonl":
            yield from _each_line(path)
        elif path.stat().st_size > LONGEST:
            yield path.name, f"longer than {LONGEST} bytes"
        else:
            yield path.name, _value(path.read_bytes())


def _paths(folder: Path, stem: str) -> Iterator[Path]:
    # By name, not by a pattern: a folder has a file for each of many thousand conversations.
    names = [f"{stem}.json", f"{stem}.jsonl"]
    yield from (folder / name for name in names if (folder / name).is_file())
    number = 0
    while True:
        page = next((path for path in _numbered(folder, stem, number) if path.is_file()), None)
        if page is None and number:
            return
        if page is not None:
            yield page
        number += 1


def _numbered(folder: Path, stem: str, number: int) -> Iterator[Path]:
    for ending in ("json", "jsonl"):
        yield folder / f"{stem}-{number}.{ending}"


def rows(folder: Path, stem: str, *names: str) -> Iterator[Line]:
    """Yield the objects in the list that stands under ``names`` in each page; a page that is a
    list itself, or that is such an object, is taken as well."""
    for place, page in pages(folder, stem):
        if isinstance(page, str):
            yield place, page
            continue
        value = page
        for name in names:
            value = value.get(name, value) if isinstance(value, dict) else value
        for row in value if isinstance(value, list) else [value]:
            if isinstance(row, dict):
                yield f"{place}: {row.get('id', '?')}"[:100], row
            else:
                yield place, "not an object"


def moved(
    convert: Callable[[dict[str, Any]], Iterator[dict[str, Any]]], found: Iterator[Line]
) -> Iterator[Line]:
    """Yield the lines that each row becomes, at the row's place."""
    for place, row in found:
        if isinstance(row, str):
            yield place, row
        else:
            for line in convert(row):
                yield place, line


def file_line(
    folder: Path, *, conversation: object, message: object, number: object, name: object
) -> dict[str, Any]:
    """Return the line of a file whose bytes were saved as ``files/NUMBER``, with any ending."""
    path = saved_files(folder / FILES).get(str(number))
    line = {
        "type": "file",
        "conversation": conversation,
        "message": message,
        "id": number,
        "name": str(name or path or number),
    }
    if path is None:
        return line | {"missing": UNSAVED}
    return line | {"path": f"{FILES}/{path}"}


@cache
def saved_files(folder: Path) -> dict[str, str]:
    """Return the names of saved files by the number before their ending."""
    return {path.name.partition(".")[0]: path.name for path in folder.glob("*") if path.is_file()}


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing if it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def inner(value: object, name: str) -> dict[str, Any]:
    """Return the object under a name; an empty one if there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def given(**values: Any) -> dict[str, Any]:
    """Return the values that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _each_line(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as source:
        for number, raw in enumerate(source, 1):
            if raw.strip():
                yield f"{path.name}: {number}", _value(raw)


def _value(raw: bytes) -> Any:
    try:
        value = strict_json.parse(raw)
    except strict_json.Malformed:
        return "not JSON in UTF-8, each name once"
    return value if isinstance(value, (dict, list)) else "neither an object nor a list"
