"""Storing the files of imported messages, by the rules for every upload."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from conversations.messages import attachments, decoder
from conversations.messages.file_refusals import Unacceptable
from conversations.models import Attachment, Conversation
from core.asgi.files import UPLOAD_BYTES
from messenger.moving.form import FileLine, Read
from messenger.moving.identifiers import derived
from messenger.moving.lines import Whole
from messenger.moving.report import Report


class Refusal(Exception):
    """A file is not taken, and why."""


class Files:
    """Takes files from ``folder``. ``stored`` are those of the present batch: their bytes are
    stored before their rows, and ``discard`` deletes them if the rows are not."""

    def __init__(self, key: str, source: str, folder: Path, report: Report) -> None:
        self._key, self._source = key, source
        self._folder = folder.resolve()
        self._report = report
        self.stored: list[Attachment] = []

    def store(
        self,
        lines: list[tuple[Read, FileLine]],
        conversation: Conversation,
        agent_id: int | None,
        at: datetime,
    ) -> tuple[list[Attachment], list[str]]:
        """Store the files of a message; return them, and the names of those that were refused."""
        taken, refused = [], []
        for one, line in lines:
            try:
                taken.append(self._store(line, conversation, agent_id, at))
            except Refusal as refusal:
                self._report.refuse(one.place, one.type, line.id, str(refusal))
                refused.append(line.name or line.id)
        return taken, refused

    def discard(self) -> None:
        """Delete the bytes of the batch's files: their rows were not stored."""
        for attachment in self.stored:
            attachments.delete_bytes(attachment)
        self.stored.clear()

    def _store(
        self, line: FileLine, conversation: Conversation, agent_id: int | None, at: datetime
    ) -> Attachment:
        if line.missing:
            raise Refusal(line.missing)
        path = self._path(line)
        pk = derived(self._key, self._source, "file", line.conversation, line.id)
        try:
            columns = attachments.prepare_and_save(path, line.name, conversation.website_id, pk)
        except Unacceptable as unacceptable:
            raise Refusal(decoder.sentence(unacceptable)) from None
        attachment = Attachment(
            id=pk,
            conversation=conversation,
            agent_id=agent_id,
            created_at=at,
            **columns,
        )
        self.stored.append(attachment)
        return attachment

    def _path(self, line: FileLine) -> Path:
        """Return where the bytes are. A path must not lead out of the folder, by no link either:
        the lines may come from people who should not read this machine's files."""
        path = (self._folder / line.path).resolve()
        if not line.path or not path.is_relative_to(self._folder) or not path.is_file():
            raise Refusal("there is no such file in the folder")
        if path.stat().st_size > UPLOAD_BYTES:
            raise Refusal(f"larger than {UPLOAD_BYTES} bytes")
        return path


def by_message(whole: Whole) -> dict[str, list[tuple[Read, FileLine]]]:
    """Return the files of a conversation by the id of their message."""
    found: dict[str, list[tuple[Read, FileLine]]] = defaultdict(list)
    for one in whole.parts:
        if isinstance(one.record, FileLine):
            found[one.record.message].append((one, one.record))
    return found
