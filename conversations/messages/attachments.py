"""Attachments: uploads and downloads of files.

A file is uploaded first, under an id created by the client, and then sent with a message. A large
file on a bad connection can thus be retried without sending anything twice. The bytes are in
Django's default storage under secret names. Downloads go through endpoints that check permission.
"""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.desk_session import SESSION_VALID_SQL, DeskSession
from conversations.lifecycle.transitions import Status
from conversations.messages import decoder, pictures
from conversations.messages.file_refusals import Reason, Unacceptable
from conversations.messages.file_types import Prepared
from conversations.models import Attachment, Conversation, Visitor
from conversations.visitors.persons import SPOKEN_FOR, WILLING, browsers_of
from core.asgi.files import Download, too_large
from core.db import async_pool
from core.rejection import Rejected

LATELY = timedelta(hours=1)
LATELY_LIMIT = 60  # uploads by one side into one conversation
FORGOTTEN = timedelta(days=1)

# Files are decoded one at a time (``decoder``); those that wait hold no thread that others need.
_decoding = ThreadPoolExecutor(1, "decoding")

MAY_VISITOR = f"""
    c.public_id = %(conversation)s AND {SPOKEN_FOR} AND {WILLING} AND c.status <> 'closed'
"""
MAY_AGENT = f"""
    c.id = %(conversation)s AND c.agent_id = %(agent_id)s AND c.status = 'active'
    AND {SESSION_VALID_SQL}
"""
# Plain SQL: uploads and downloads run in the event loop, where the ORM cannot, and each statement
# checks the permission in the same round trip.
# An upload without an agent is the visitor's, and NULL equals nothing, hence IS NOT DISTINCT FROM.
ALLOWED = """
    SELECT c.id, c.website_id, w.takes_files, (
        SELECT count(*) FROM conversations_attachment x
        WHERE x.conversation_id = c.id AND x.created_at > %(since)s
        AND x.agent_id IS NOT DISTINCT FROM %(agent_id)s
    ) AS lately
    FROM conversations_conversation c
    JOIN conversations_visitor v ON v.id = c.visitor_id
    JOIN accounts_website w ON w.id = c.website_id
    WHERE {may}
"""
# Before there is a conversation, for the message that begins it.
ALLOWED_BEFORE = f"""
    SELECT v.id, v.website_id, w.takes_files, (
        SELECT count(*) FROM conversations_attachment x
        WHERE x.visitor_id = v.id AND x.created_at > %(since)s
    ) AS lately
    FROM conversations_visitor v JOIN accounts_website w ON w.id = v.website_id
    WHERE w.key = %(website)s AND v.token_hash = %(token_hash)s AND {WILLING}
"""
STORE = """
    INSERT INTO conversations_attachment (id, conversation_id, visitor_id, agent_id, name,
        content_type, size, width, height, file, thumbnail, created_at)
    VALUES (%(id)s, %(conversation_id)s, %(visitor_id)s, %(agent_id)s, %(name)s,
        %(content_type)s, %(size)s, %(width)s, %(height)s, %(file)s, %(thumbnail)s, %(at)s)
    ON CONFLICT (id) DO NOTHING RETURNING id
"""
KNOWN = """
    SELECT id, name, content_type, size, width, height FROM conversations_attachment
    WHERE id = %(id)s AND (conversation_id = %(conversation_id)s OR visitor_id = %(visitor_id)s)
    AND agent_id IS NOT DISTINCT FROM %(agent_id)s
"""
OF_VISITOR = f"""
    SELECT x.name, x.content_type, x.file, x.thumbnail FROM conversations_attachment x
    JOIN conversations_conversation c ON c.id = x.conversation_id
    JOIN conversations_visitor v ON v.id = c.visitor_id
    WHERE x.id = %(id)s AND c.public_id = %(conversation)s AND {SPOKEN_FOR}
    AND (v.hidden_at IS NULL OR x.created_at > v.hidden_at)
"""
OF_VISITOR_BEFORE = f"""
    SELECT x.name, x.content_type, x.file, x.thumbnail FROM conversations_attachment x
    JOIN conversations_visitor v ON v.id = x.visitor_id
    WHERE x.id = %(id)s AND {SPOKEN_FOR} AND (v.hidden_at IS NULL OR x.created_at > v.hidden_at)
"""
OF_CONVERSATION = """
    SELECT x.name, x.content_type, x.file, x.thumbnail FROM conversations_attachment x
    WHERE x.id = %(id)s AND x.conversation_id = %(conversation)s
"""


async def may_upload_as_visitor(
    *, conversation: uuid.UUID, token_hash: str, at: datetime
) -> dict[str, Any]:
    """Return where the visitor's upload goes; raise ``Rejected`` if it is not allowed. Call it
    before reading the body."""
    values = {"conversation": conversation, "token_hash": token_hash, "agent_id": None}
    return await _allowed(MAY_VISITOR, values, at)


async def may_upload_before(*, website: str, token_hash: str, at: datetime) -> dict[str, Any]:
    """Return the same before there is a conversation: the file stays with the visitor until their
    message begins one."""
    values = {"website": website, "token_hash": token_hash, "since": at - LATELY}
    row = _checked(await async_pool.fetch_one(ALLOWED_BEFORE, values))
    return {"conversation_id": None, "visitor_id": row["id"], "website_id": row["website_id"]} | {
        "agent_id": None
    }


async def may_upload_as_agent(
    *, conversation: int, desk: DeskSession, at: datetime
) -> dict[str, Any]:
    """Return where the agent's upload goes: only into a conversation on their desk."""
    values = {
        "conversation": conversation,
        "agent_id": desk.agent_id,
        **desk.proof,
    }
    return await _allowed(MAY_AGENT, values, at)


async def _allowed(may: str, values: dict[str, Any], at: datetime) -> dict[str, Any]:
    query = ALLOWED.format(may=may)
    row = _checked(await async_pool.fetch_one(query, values | {"since": at - LATELY}))
    return {"conversation_id": row["id"], "visitor_id": None, "website_id": row["website_id"]} | {
        "agent_id": values["agent_id"]
    }


def _checked(row: dict[str, Any] | None) -> dict[str, Any]:
    """Return the row if files may be added; raise ``Rejected`` otherwise."""
    if row is None:
        raise Rejected(
            "not_found", _("You cannot add files to this conversation at the moment."), 404
        )
    if not row["takes_files"]:
        raise Rejected("refused", _("You cannot send files on this site."), 409)
    if row["lately"] >= LATELY_LIMIT:
        raise _too_many()
    return row


def _too_many() -> Rejected:
    return Rejected("too_many", _("You have sent a lot of files. Please wait a moment."), 429)


def adopt(conversation: Conversation) -> None:
    """Move the files that the visitor uploaded before there was a conversation into
    ``conversation``. The caller is in a transaction and has locked the row."""
    waiting = Attachment.objects.filter(conversation=None, agent=None)
    waiting.filter(visitor__in=browsers_of(conversation.visitor)).update(conversation=conversation)


def upload_strings() -> dict[str, str]:
    """Return the texts about uploads for the scripts of desk and Messenger."""
    return {
        "uploading": _("Uploading…"),
        "upload_failed": _("The file could not be uploaded."),
        "upload_too_large": too_large().text,
        "upload_too_many": _("You can send up to 10 files at a time."),
        "remove_file": _("Remove {name}"),
        "retry_file": _("Try again"),
        "upload_held": _("Will be uploaded after you accept"),
    }


def check_id(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise Rejected("not_found", _("This file does not exist."), 404) from None


class Upload(Protocol):
    """A request with a file, as an endpoint passes it on."""

    query: str

    def file(self) -> AbstractAsyncContextManager[Path]: ...


async def receive(
    request: Upload, *, attachment_id: uuid.UUID, into: dict[str, Any], at: datetime
) -> tuple[int, dict[str, Any]]:
    """Read and store the file; return 201, or 200 if it was already stored, and the body."""
    name = parse_qs(request.query).get("name", [""])[0]
    async with request.file() as source:
        stored, is_new = await store(
            source, attachment_id=attachment_id, name=name, into=into, at=at
        )
    return (201 if is_new else 200), {"attachment": stored}


async def store(
    source: Path, *, attachment_id: uuid.UUID, name: str, into: dict[str, Any], at: datetime
) -> tuple[dict[str, Any], bool]:
    """Store an upload; return it as clients receive it, and whether it is new or a repeat.

    Raise ``Rejected`` (415 ``unacceptable``) with the reason if the file is refused.
    """
    parts = ("conversation_id", "visitor_id", "agent_id")
    key = {part: into[part] for part in parts} | {"id": attachment_id}
    known = await async_pool.fetch_one(KNOWN, key)
    if known is not None:
        return frame(known), False
    loop = asyncio.get_running_loop()
    save = partial(prepare_and_save, source, name, into["website_id"], attachment_id)
    try:
        row = key | {"at": at} | await loop.run_in_executor(_decoding, save)
    except Unacceptable as unacceptable:
        raise _refusal(unacceptable) from None
    try:
        # The bytes are stored before the row, so what gets no row is deleted again.
        is_new = await database_sync_to_async(_add)(row)
    except Rejected:
        await asyncio.to_thread(_delete, [row["file"], row["thumbnail"]])
        raise
    if is_new:
        return frame(row), True
    await asyncio.to_thread(_delete, [row["file"], row["thumbnail"]])
    known = await async_pool.fetch_one(KNOWN, key)
    if known is None:
        raise Rejected("conflict", _("A different file was already sent with this id."), 409)
    return frame(known), False


@transaction.atomic
def _add(row: dict[str, Any]) -> bool:
    """Add the row of an upload; return whether it is new. ``Rejected`` if others that were uploaded
    at the same time have reached the limit meanwhile."""
    # Uploads of one side wait for each other here, so that each counts those before it.
    talk, visitor = row["conversation_id"], row["visitor_id"]
    if talk is not None:
        Conversation.objects.select_for_update(no_key=True).filter(pk=talk).first()
    else:
        Visitor.objects.select_for_update(no_key=True).filter(pk=visitor).first()
    mine = Attachment.objects.filter(conversation=talk, visitor=visitor, agent=row["agent_id"])
    if mine.filter(created_at__gt=row["at"] - LATELY).count() >= LATELY_LIMIT:
        raise _too_many()
    with connection.cursor() as cursor:
        cursor.execute(STORE, row)
        return cursor.fetchone() is not None


def store_as_agent(
    source: Path, *, attachment_id: uuid.UUID, name: str, conversation: Conversation, at: datetime
) -> tuple[dict[str, Any], bool]:
    """Store an upload of the agent who holds ``conversation``, in a thread that may block; return
    it as clients receive it, and whether it is new. The caller has checked who it is."""
    is_active = conversation.status == Status.ACTIVE
    _checked({"takes_files": conversation.website.takes_files, "lately": 0} if is_active else None)
    key = {"conversation_id": conversation.pk, "visitor_id": None}
    key |= {"agent_id": conversation.agent_id}
    return _store_now(source, name, attachment_id, conversation.website_id, key, at)


def store_as_visitor(
    source: Path, *, attachment_id: uuid.UUID, name: str, visitor: Visitor, at: datetime
) -> tuple[dict[str, Any], bool]:
    """Store a file that a visitor sent outside the Messenger, until a message takes it, in a thread
    that may block; return it as clients receive it, and whether it is new."""
    _checked({"takes_files": visitor.website.takes_files, "lately": 0})
    known = Attachment.objects.filter(pk=attachment_id, agent=None).first()
    if known is not None:  # It may be in its conversation already.
        return frame(vars(known)), False
    key = {"conversation_id": None, "visitor_id": visitor.pk, "agent_id": None}
    return _store_now(source, name, attachment_id, visitor.website_id, key, at)


def _store_now(
    source: Path,
    name: str,
    attachment_id: uuid.UUID,
    website_id: int,
    key: dict[str, Any],
    at: datetime,
) -> tuple[dict[str, Any], bool]:
    known = Attachment.objects.filter(pk=attachment_id).first()
    if known is None:
        try:
            columns = prepare_and_save(source, name, website_id, attachment_id)
        except Unacceptable as unacceptable:
            raise _refusal(unacceptable) from None
        try:
            is_new = _add(key | columns | {"id": attachment_id, "at": at})
        except Rejected:
            _delete([columns["file"], columns["thumbnail"]])
            raise
        known = Attachment.objects.get(pk=attachment_id)
        if is_new:
            return frame(vars(known)), True
        _delete([columns["file"], columns["thumbnail"]])
    if any(getattr(known, column) != value for column, value in key.items()):
        raise Rejected("conflict", _("A different file was already sent with this id."), 409)
    return frame(vars(known)), False


def _refusal(unacceptable: Unacceptable) -> Rejected:
    if unacceptable.reason == Reason.UNCHECKED:
        return Rejected("unavailable", decoder.sentence(unacceptable), 503)
    return Rejected("unacceptable", decoder.sentence(unacceptable), 415)


def download_of(conversation: Conversation, attachment_id: uuid.UUID) -> Download:
    """Return a file of a conversation, in a thread that may block. The caller has checked that the
    conversation may be seen."""
    attachment = conversation.attachments.filter(pk=attachment_id).first()
    if attachment is None or not default_storage.exists(attachment.file):
        raise Rejected("not_found", _("This file does not exist."), 404)
    return Download(attachment.name, attachment.content_type, _load(attachment.file))


def frame(row: dict[str, Any]) -> dict[str, Any]:
    """Return an attachment as clients receive it: ``size`` in bytes, ``width`` and ``height`` of an
    image in pixels."""
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "type": row["content_type"],
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
    }


async def read(query: str, values: dict[str, Any], *, small: bool) -> Download:
    """Return an attachment or its thumbnail. ``query`` checks the permission."""
    row = await async_pool.fetch_one(query, values)
    path = row and (row["thumbnail"] if small else row["file"])
    if not row or not path:
        raise Rejected("not_found", _("This file does not exist."), 404)
    try:
        content = await asyncio.to_thread(_load, path)
    except FileNotFoundError:
        raise Rejected("not_found", _("This file no longer exists."), 404) from None
    return Download(row["name"], pictures.THUMBNAIL_TYPE if small else row["content_type"], content)


def forget_unsent(*, at: datetime) -> int:
    """Delete files that were uploaded but never sent; return how many."""
    unsent = list(Attachment.objects.filter(created_at__lt=at - FORGOTTEN, message=None)[:1000])
    return sum(forget(attachment) for attachment in unsent)


def forget(attachment: Attachment) -> int:
    """Delete an attachment without a message, its row first: a file without a row is only
    waste."""
    # Asked again, because a message may have taken it meanwhile.
    gone, _rows = Attachment.objects.filter(Q(pk=attachment.pk, message=None)).delete()
    if gone:
        _delete([attachment.file, attachment.thumbnail])
    return gone


def prepare_and_save(
    source: Path, name: str, website_id: int, attachment_id: uuid.UUID
) -> dict[str, Any]:
    """Decode and store a file; return its columns. One at a time holds its bytes in memory."""
    prepared = decoder.prepare(source, name)
    return {
        "name": prepared.name,
        "content_type": prepared.content_type,
        "size": len(prepared.content),
        "width": prepared.width,
        "height": prepared.height,
        **_save(prepared, website_id, attachment_id),
    }


def delete_bytes(attachment: Attachment) -> None:
    """Delete what ``prepare_and_save`` stored for an attachment that gets no row."""
    _delete([attachment.file, attachment.thumbnail])


def _save(prepared: Prepared, website_id: int, attachment_id: uuid.UUID) -> dict[str, str]:
    # The random part keeps the name secret from those who know the id.
    folder = f"attachments/{website_id}/{attachment_id.hex[:2]}/{attachment_id.hex}"
    folder += f"-{uuid.uuid4().hex[:12]}"
    names = {"file": default_storage.save(f"{folder}/file", ContentFile(prepared.content))}
    names["thumbnail"] = ""
    if prepared.thumbnail is not None:
        picture = ContentFile(prepared.thumbnail)
        names["thumbnail"] = default_storage.save(f"{folder}/thumbnail", picture)
    return names


def _load(path: str) -> bytes:
    with default_storage.open(path) as stored:
        content: bytes = stored.read()
        return content


def _delete(paths: list[str]) -> None:
    for path in paths:
        if path:
            default_storage.delete(path)
