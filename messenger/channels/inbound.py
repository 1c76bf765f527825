"""What comes from providers: stored at once, taken into conversations in a worker.

A row is stored before the provider gets its answer, once for each of the provider's ids, so nothing
that was accepted is lost, and nothing is taken twice. What finds no room waits in its row, is tried
again every minute, and its sender is told so once a day.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.facts import InboundStored
from conversations.messages import attachments, inbound_emails
from conversations.messages.validators import BODY_LIMIT
from conversations.models import (
    Attachment,
    Conversation,
    Correspondent,
    InboundMessage,
    InboundStatus,
    Inbox,
    Visitor,
)
from core import temporary_files
from core.db.retry import retried
from core.events import bus
from core.rejection import Rejected
from core.text.cleaning import line, words
from messenger.channels import receipts, registry
from messenger.channels.connector import (
    Incoming,
    Later,
    Outgoing,
    Receipt,
    RemoteFile,
    Undeliverable,
)
from messenger.channels.sweeps import sweep
from messenger.visitors import hash_token
from messenger.website_texts import language_among
from routing import demand_counter, engagement

logger = logging.getLogger(__name__)

ROOM_AGAIN = timedelta(minutes=1)
TELL_AGAIN = timedelta(days=1)
FETCH_RETRIES = 8
"""Attempts to fetch a file, after 2, 4, 8 ... s; then its message comes without it."""
NAMESPACE = uuid.UUID("6f3f0a52-6f0e-4c3e-9d8e-0f2d6a1b7c55")

# Refusals of the message path, as the administration shows them.
REFUSALS = {
    "blocked": gettext_noop("the visitor is blocked"),
    "consent": gettext_noop("the visitor has withdrawn consent"),
}
WORDLESS = gettext_noop("it contains nothing that can be shown")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what came that becomes one message: words, or a stored file."""

    client_id: uuid.UUID
    body: str
    attachment: uuid.UUID | None = None


def store(inbox: Inbox, news: Sequence[Incoming | Receipt], *, at: datetime, file: str = "") -> int:
    """Store what a provider delivered; return how many messages are new. Safe to repeat.
    ``file`` is the stored e-mail that the message was."""
    stored = 0
    for one in news:
        if isinstance(one, Receipt):
            receipts.record(inbox, one, at=at)
        else:
            stored += _store(inbox, one, at=at, file=file)
    return stored


@retried
def _store(inbox: Inbox, incoming: Incoming, *, at: datetime, file: str) -> bool:
    correspondent = _correspondent(inbox, incoming, at=at)
    sent_at = parse_datetime(incoming.sent_at) if incoming.sent_at else None
    _row, is_new = InboundMessage.objects.get_or_create(
        inbox=inbox,
        provider_id=incoming.provider_id[:300],
        defaults={
            "correspondent": correspondent,
            "content": incoming.as_json(),
            "file": file,
            # A clock that goes wrong must not put a message behind all later ones.
            "sent_at": min(sent_at or at, at),
            "received_at": at,
            "due_at": at,
        },
    )
    if is_new:
        bus.publish(InboundStored(correspondent_id=correspondent.pk))
    return is_new


def _correspondent(inbox: Inbox, incoming: Incoming, *, at: datetime) -> Correspondent:
    """Return the sender, who becomes a new visitor with their first message. The inbox is locked
    for it, so that two first messages make one visitor."""
    known = Correspondent.objects.filter(inbox=inbox, address=incoming.address[:320])
    if (correspondent := known.first()) is not None:
        return correspondent
    Inbox.objects.select_for_update(no_key=True).get(pk=inbox.pk)
    # Asked again under the lock: another first message may have been faster.
    if (correspondent := known.first()) is not None:
        return correspondent
    visitor = Visitor.objects.create(
        website=inbox.website,
        # Nobody ever has this token: the visitor has no browser.
        token_hash=hash_token(secrets.token_urlsafe(32)),
        name=line(incoming.name, 100),
        language=language_among(incoming.language, inbox.website.language),
        created_at=at,
    )
    return Correspondent.objects.create(
        inbox=inbox, visitor=visitor, address=incoming.address[:320], created_at=at
    )


def take(*, correspondent_id: int) -> None:
    """Reaction: take what waits of one correspondent into their conversation, in order."""
    while _take_next(correspondent_id):
        pass


def take_due() -> int:
    """Take whatever is due, for at most half a minute; return how many correspondents had
    something. The sweep behind the reaction."""
    waiting = InboundMessage.objects.filter(
        status=InboundStatus.WAITING, due_at__lte=timezone.now(), inbox__is_active=True
    )
    due = waiting.order_by("correspondent").values_list("correspondent", flat=True).distinct()
    return sweep(
        list(due),
        lambda one: take(correspondent_id=one),
        failure="could not take what correspondent %s wrote",
    )


def _take_next(correspondent_id: int) -> bool:
    """Take the oldest waiting message; return whether another may follow."""
    row = _first(correspondent_id)
    if row is None or row.due_at is None or row.due_at > timezone.now():
        return False
    if not row.inbox.is_active:
        return False
    visitor = row.correspondent.visitor
    language = language_among(visitor.language, row.inbox.website.language)
    with translation.override(language):
        try:
            pieces = list(_pieces(row, visitor))
        except Later as later:
            _put_off(row, str(later), wait=_wait(row, later))
            return False
        try:
            return _place(row.pk, correspondent_id, pieces, language)
        except engagement.NoRoom as refusal:
            _wait_for_room(row, refusal, at=timezone.now())
            return False
        except Rejected as rejected:
            _refuse(row, REFUSALS.get(rejected.code, rejected.text))
            return True


def _first(correspondent_id: int) -> InboundMessage | None:
    waiting = InboundMessage.objects.filter(
        correspondent=correspondent_id, status=InboundStatus.WAITING
    )
    rows = waiting.select_related(
        "inbox__website", "inbox__rule", "correspondent__visitor__website"
    )
    return rows.order_by("sent_at", "pk").first()


@retried
def _place(row_id: int, correspondent_id: int, pieces: Sequence[Piece], language: str) -> bool:
    """Add the pieces to the conversation, and settle the row with them; return whether this row
    was still the first. The lock of the correspondent keeps the order with several workers."""
    Correspondent.objects.select_for_update(no_key=True).get(pk=correspondent_id)
    row = _first(correspondent_id)
    if row is None or row.pk != row_id:
        # Another worker has placed this one; the next is looked at by the caller.
        return row is not None
    at = timezone.now()
    conversation, seqs = None, []
    for piece in pieces:
        conversation, sent = engagement.start_by_inbox(
            row.correspondent.visitor,
            row.inbox,
            body=piece.body,
            client_id=piece.client_id,
            attachment=piece.attachment,
            language=language,
            at=at,
        )
        seqs.append(int(sent.frame["seq"]))
    row.conversation = conversation
    if conversation is not None and row.file:
        _keep_original(row, conversation, seq=seqs[0], at=at)
    row.status = InboundStatus.ACCEPTED if pieces else InboundStatus.REFUSED
    row.reason = "" if pieces else WORDLESS
    _settle(row)
    return True


def _keep_original(
    row: InboundMessage, conversation: Conversation, *, seq: int, at: datetime
) -> None:
    """Hand the stored e-mail over to the conversation, where agents can open it."""
    original = Incoming.of_json(row.content).original or {}
    inbound_emails.record(
        conversation,
        inbound_emails.Original(
            sender=str(original["sender"]),
            subject=str(original["subject"]),
            text=str(original["text"]),
            file_names=list(original["file_names"]),
        ),
        pk=uuid.uuid4(),
        seq=seq,
        file=row.file,
        size=int(original["size"]),
        at=at,
    )
    row.file = ""


def _pieces(row: InboundMessage, visitor: Visitor) -> Iterator[Piece]:
    """Yield what came as messages: its words, and each of its files; raise ``Later`` if a file
    cannot be fetched now. What cannot be taken is named in the words."""
    incoming = Incoming.of_json(row.content)
    missing, files = [], []
    for number, file in enumerate(incoming.files):
        file_id = _id(row, f"file {number}")
        try:
            _store_file(row, visitor, file, file_id)
            files.append(Piece(file_id, "", file_id))
        except (Rejected, Undeliverable) as error:
            why = error.text if isinstance(error, Rejected) else _(str(error))
            missing.append(_("[File “%(name)s”: %(why)s]") % {"name": file.name, "why": why})
        except Later as later:
            if row.attempts < FETCH_RETRIES:
                raise
            missing.append(_("[File “%(name)s”: %(why)s]") % {"name": file.name, "why": later})
    text = words("\n".join([incoming.text, *missing]))
    for number, start in enumerate(range(0, len(text), BODY_LIMIT)):
        if body := text[start : start + BODY_LIMIT].strip():
            yield Piece(_id(row, f"text {number}"), body)
    yield from files


def _store_file(
    row: InboundMessage, visitor: Visitor, file: RemoteFile, file_id: uuid.UUID
) -> None:
    connector = registry.of(row.inbox.kind)
    if connector is None:
        raise Undeliverable(gettext_noop("the channel is no longer installed"))
    if not visitor.website.takes_files:
        raise Undeliverable(gettext_noop("this website accepts no files"))
    if Attachment.objects.filter(pk=file_id).exists():
        return  # It was fetched in an earlier attempt.
    with temporary_files.folder() as folder:
        source = folder / "file"
        source.write_bytes(connector.fetch(row.inbox, file))
        attachments.store_as_visitor(
            source,
            attachment_id=file_id,
            name=line(file.name, 120),
            visitor=visitor,
            at=timezone.now(),
        )


def _id(row: InboundMessage, part: str) -> uuid.UUID:
    """Return the id of a part, which is the same whenever the row is tried."""
    return uuid.uuid5(NAMESPACE, f"{row.inbox_id} {row.provider_id} {part}")


def _wait(row: InboundMessage, later: Later) -> timedelta:
    return timedelta(seconds=later.seconds or min(2 ** (row.attempts + 1), 300))


def _put_off(row: InboundMessage, reason: str, *, wait: timedelta) -> None:
    waiting = InboundMessage.objects.filter(pk=row.pk, status=InboundStatus.WAITING)
    waiting.update(
        due_at=timezone.now() + wait, reason=reason[:300], attempts=min(row.attempts + 1, 30_000)
    )


def _wait_for_room(row: InboundMessage, refusal: engagement.NoRoom, *, at: datetime) -> None:
    """Try again in a minute, count the refusal once, and tell the sender, once a day."""
    _put_off(row, refusal.text, wait=ROOM_AGAIN)
    if row.reason != refusal.text and refusal.rule_id is not None:
        demand_counter.refuse_message(refusal.rule_id, row.correspondent.visitor_id, at=at)
    told = Correspondent.objects.filter(pk=row.correspondent_id)
    # Written before it is sent: a sender is rather not told than told twice.
    if not told.exclude(told_at__gt=at - TELL_AGAIN).update(told_at=at):
        return
    connector = registry.of(row.inbox.kind)
    if connector is None:
        return
    outgoing = Outgoing(uuid.uuid4(), row.correspondent.address, refusal.text)
    try:
        connector.send(row.inbox, outgoing)
    except (Later, Undeliverable) as error:
        logger.info("could not tell a correspondent that there is no room: %s", error)


@transaction.atomic
def _refuse(row: InboundMessage, reason: str) -> None:
    row.status, row.reason = InboundStatus.REFUSED, reason[:300]
    if file := row.file:
        # After the commit: a file without a row is only waste.
        transaction.on_commit(lambda: inbound_emails.discard(file))
        row.file = ""
    _settle(row)


def _settle(row: InboundMessage) -> None:
    """Store the end of a row, without its content, which is in the conversation now."""
    row.due_at, row.content = None, {}
    row.save(update_fields=["conversation", "status", "reason", "due_at", "content", "file"])
