"""Exporting a website in the form in which it can be imported, some hundred rows at a time.

After each piece the place is noted beside the file, so that an export that was interrupted goes on
from there: what was written after the last note is cut off and written again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from accounts.models import Agent, Website
from conversations.models import Attachment, Conversation, Message, Note, Survey, Visitor
from core import private_files
from messenger.moving import form_lines
from messenger.moving.form import VERSION
from messenger.moving.identifiers import OURS

AT_ONCE = 200
HISTORY, UNFINISHED, PLACE = "history.jsonl", "history.jsonl.part", "export-place.json"
FILES = "files"
COPIED = 1 << 16


class AlreadyThere(Exception):
    """The folder holds a finished export."""


class OtherWebsite(Exception):
    """The folder holds the begun export of another website."""


@dataclass(slots=True)
class Place:
    """Where an export stands: the length of the file, and the last row of the present stage."""

    website: str
    stage: str = "begin"
    after: int = 0
    length: int = 0
    lines: int = 0


class Export:
    """One export of ``website`` into ``folder``."""

    def __init__(self, website: Website, folder: Path) -> None:
        self._website, self._folder = website, folder
        self._out: IO[bytes]

    def run(self, *, on_progress: Callable[[int], None]) -> int:
        """Write everything, or what is left; return the number of lines. ``on_progress`` is
        called with it after each piece."""
        if (self._folder / HISTORY).exists():
            raise AlreadyThere
        private_files.open_folder(self._folder / FILES)
        place = self._place()
        if place.website != self._website.key:
            raise OtherWebsite
        unfinished = self._folder / UNFINISHED
        unfinished.touch(0o600)  # It holds what everybody wrote.
        with unfinished.open("r+b") as self._out:
            self._out.truncate(place.length)
            self._out.seek(place.length)
            stages = {"begin": self._begin, "people": self._people, "rest": self._conversations}
            names = list(stages)
            for name in names[names.index(place.stage) :]:
                if place.stage != name:
                    place.stage, place.after = name, 0
                for after, lines in stages[name](place.after):
                    self._write(lines, place)
                    place.after = after
                    self._note(place)
                    on_progress(place.lines)
        unfinished.rename(self._folder / HISTORY)
        (self._folder / PLACE).unlink(missing_ok=True)
        return place.lines

    # --- Stages: (the last row, the lines) for each piece ------------------------------------

    def _begin(self, after: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Yield the head and the agents: all that conversations and their parts name."""
        if after:
            return
        head = {"type": "history", "version": VERSION, "source": OURS}
        mine = Conversation.objects.filter(website=self._website)
        # Subqueries: joins would repeat an agent for each of their messages.
        named: list[QuerySet[Any]] = [
            mine,
            Message.objects.filter(conversation__website=self._website),
            Note.objects.filter(conversation__website=self._website),
            Survey.objects.filter(website=self._website),
        ]
        among = Q(groups__website=self._website)
        for rows in named:
            among |= Q(pk__in=rows.filter(agent__isnull=False).order_by().values("agent"))
        agents = Agent.objects.filter(among).select_related("user").order_by("pk").distinct()
        yield 1, [head, *(form_lines.agent(one) for one in agents)]

    def _people(self, after: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        rows = Visitor.objects.filter(website=self._website)
        rows = rows.select_related("person", "address").prefetch_related("consents")
        for piece in _pieces(rows, after):
            yield piece[-1].pk, [form_lines.person(one) for one in piece]

    def _conversations(self, after: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        rows = Conversation.objects.filter(website=self._website)
        rows = rows.select_related("visitor", "group").prefetch_related(
            "messages__attachment", "notes", "surveys", "events__agent", "events__group"
        )
        for piece in _pieces(rows, after):
            yield piece[-1].pk, [line for one in piece for line in self._whole(one)]

    def _whole(self, one: Conversation) -> Iterator[dict[str, Any]]:
        yield form_lines.conversation(one)
        for message in sorted(one.messages.all(), key=lambda message: message.seq):
            yield form_lines.message(one, message)
            if message.attachment is not None:
                missing = "" if self._copy(message.attachment) else "its bytes were lost"
                yield form_lines.file(one, message, missing=missing)
        for note in sorted(one.notes.all(), key=lambda note: (note.created_at, note.pk)):
            yield form_lines.note(one, note)

    def _copy(self, attachment: Attachment) -> bool:
        """Copy the bytes of a file; return whether they are there."""
        path = self._folder / FILES / str(attachment.pk)
        try:
            with default_storage.open(attachment.file) as source, path.open("wb") as target:
                while part := source.read(COPIED):
                    target.write(part)
        except FileNotFoundError:
            return False
        return True

    # --- Places ------------------------------------------------------------------------------

    def _place(self) -> Place:
        try:
            return Place(**json.loads((self._folder / PLACE).read_text()))
        except FileNotFoundError:
            return Place(self._website.key)

    def _note(self, place: Place) -> None:
        """Note the place once the lines before it are on the disk."""
        self._out.flush()
        os.fsync(self._out.fileno())
        new = self._folder / f"{PLACE}.new"
        values = {name: getattr(place, name) for name in place.__slots__}
        new.write_text(json.dumps(values))
        new.replace(self._folder / PLACE)

    def _write(self, lines: Iterable[dict[str, Any]], place: Place) -> None:
        for line in lines:
            raw = json.dumps(line, ensure_ascii=False).encode() + b"\n"
            self._out.write(raw)
            place.length += len(raw)
            place.lines += 1


def _pieces(rows: QuerySet[Any], after: int) -> Iterator[list[Any]]:
    """Yield the rows after a number, some hundred at a time."""
    while piece := list(rows.filter(pk__gt=after).order_by("pk")[:AT_ONCE]):
        yield piece
        after = piece[-1].pk
