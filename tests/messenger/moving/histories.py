"""Small histories in the form of docs/moving.md, and the commands that read and write it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

Line = dict[str, Any]
HEAD: Line = {"type": "history", "version": 1, "source": "elsewhere"}
PERSON: Line = {
    "type": "person",
    "id": "p1",
    "external_id": "C-1",
    "name": "Mirabelle",
    "email": "mirabelle@example.com",
    "language": "fr",
    "created_at": "2034-01-02T08:00:00Z",
    "profile": {"city": "Lyon"},
}
AGENT: Line = {"type": "agent", "id": "a1", "name": "Alice", "email": "alice@example.com"}
TALK: Line = {
    "type": "conversation",
    "id": "4711",
    "person": "p1",
    "agent": "a1",
    "language": "fr",
    "opened_at": "2034-01-02T09:00:00Z",
    "closed_at": "2034-01-02T10:00:00Z",
    "closed_by": "agent",
    "close_reason": "resolved",
    "tags": ["refund"],
    "data": {"subject": "A vase"},
}
QUESTION: Line = {
    "type": "message",
    "conversation": "4711",
    "id": "m1",
    "author": "visitor",
    "body": "Où est mon vase ?",
    "at": "2034-01-02T09:00:00Z",
}
ANSWER: Line = QUESTION | {
    "id": "m2",
    "author": "agent",
    "agent": "a1",
    "body": "Il arrive demain.",
    "at": "2034-01-02T09:05:00Z",
}
NOTE: Line = {
    "type": "note",
    "conversation": "4711",
    "id": "n1",
    "agent": "a1",
    "body": "Client pressé",
    "at": "2034-01-02T09:02:00Z",
}
STORY = (HEAD, AGENT, PERSON, TALK, QUESTION, NOTE, ANSWER)


def write(folder: Path, lines: Iterable[Line | bytes]) -> Path:
    path = folder / "history.jsonl"
    rows = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path.write_bytes(b"\n".join(rows) + b"\n")
    return path


def import_lines(folder: Path, website: str, lines: Iterable[Line | bytes], *how: str) -> str:
    """Import lines; return what the command says."""
    return import_path(write(folder, lines), website, *how)


def import_path(path: Path, website: str, *how: str) -> str:
    out = StringIO()
    call_command("import_history", website, path, *how, stdout=out, stderr=StringIO())
    return out.getvalue()


def report_of(folder: Path) -> list[Line]:
    text = (folder / "import-report.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def reasons(folder: Path, outcome: str) -> dict[str, str]:
    """Return the last reason for each id that was refused or changed."""
    return {row["id"]: row["reason"] for row in report_of(folder) if row["outcome"] == outcome}
