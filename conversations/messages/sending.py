"""The message path: a message is accepted when it is committed, once for each client id.

One statement takes the next number and stores the message, so that numbers have no gaps and no
duplicates (accept = commit). The row lock of its UPDATE orders all senders of a conversation. If
two equal requests arrive at once, the second violates the unique constraint, its statement is
rolled back, and the response is the message that the first one stored.

``send_as_visitor`` and ``send_as_agent`` are for the async endpoints. The usual case is one round
trip, permission check included. A visitor's message that moves the conversation (a reply to a
snoozed one), and messages of bots and of the system, go through ``add`` in a transaction.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from channels.db import database_sync_to_async
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.desk_session import SESSION_VALID_SQL, DeskSession
from conversations.facts import AnswerLeft, MessageAdded, TranslationOwed, VisitorWroteToBot
from conversations.lifecycle import verbs
from conversations.lifecycle.transitions import PAUSED, Status
from conversations.messages import attachments, rejections
from conversations.messages.statements import AS_AGENT, AS_VISITOR, SITUATION, TRUSTED, stored_by
from conversations.models import Author, Conversation, Message
from conversations.visitors import blocks, persons
from conversations.visitors.persons import SPOKEN_FOR
from core.db import async_pool, batches
from core.events import bus
from core.rejection import Rejected

KNOWN_NUMBERS = 10_000
_numbers: dict[uuid.UUID, int] = {}
"""The numbers of the conversations that visitors of this process have written to. Visitors name
them by their public ids, and the order of locks is that of numbers."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted message: its frame, and whether it is new or a repeat."""

    frame: dict[str, Any]
    is_new: bool


def frame(
    *,
    seq: int,
    client_id: uuid.UUID,
    author: str,
    name: str,
    body: str,
    at: datetime,
    attachment: dict[str, Any] | None = None,
    offer: dict[str, Any] | None = None,
    email: uuid.UUID | None = None,
) -> dict[str, Any]:
    """Return a message as clients receive it, over the socket and in responses. ``email`` is the id
    of the e-mail that it came from, for agents only."""
    shown: dict[str, Any] = {
        "seq": seq,
        "id": str(client_id),
        "author": author,
        "name": name,
        "body": body,
        "at": at.isoformat(timespec="milliseconds"),
    }
    if attachment is not None:
        shown["attachment"] = attachment
    if offer is not None:
        shown["offer"] = offer
    if email is not None:
        shown["email"] = str(email)
    return shown


def attachment_of(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the attachment of a row of ``SITUATION`` or of ``reading``, as clients receive it."""
    if row["attachment_id"] is None:
        return None
    return {
        "id": str(row["attachment_id"]),
        "name": row["attachment_name"],
        "type": row["content_type"],
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
    }


async def send_as_visitor(
    *,
    conversation: uuid.UUID,
    token_hash: str,
    client_id: uuid.UUID,
    body: str,
    at: datetime,
    attachment: uuid.UUID | None = None,
) -> Sent:
    """Accept a visitor's message. It wakes or reopens a paused conversation (R113, C2, C34)."""
    values = {
        "conversation": conversation,
        "token_hash": token_hash,
        "client_id": client_id,
        "author": Author.VISITOR.value,
        "body": body,
        "attachment": attachment,
        "at": at,
        "reactions": bus.owed_to(VisitorWroteToBot),
    }
    known = _numbers.get(conversation)
    sent = await _store(AS_VISITOR[attachment is not None], values, lock=known)
    if sent is not None:
        return sent
    mine = f"c.public_id = %(conversation)s AND {SPOKEN_FOR}"
    # The statement stored nothing, and cannot say why: a repeat, a paused conversation or a
    # refusal.
    row = await _find(mine, values | {"agent_id": None})
    if (sent := _known(row, values)) is not None:
        return sent
    if row["status"] == Status.CLOSED:
        raise rejections.closed()
    woken: Sent = await database_sync_to_async(add)(
        row["id"],
        author=Author.VISITOR,
        body=body,
        client_id=client_id,
        at=at,
        attachment=attachment,
    )
    return woken


async def send_as_agent(
    *,
    conversation: int,
    desk: DeskSession,
    client_id: uuid.UUID,
    body: str,
    at: datetime,
    attachment: uuid.UUID | None = None,
) -> Sent:
    """Accept a message from the agent who has the conversation on their desk."""
    values = {
        "conversation": conversation,
        **desk.proof,
        "client_id": client_id,
        "author": Author.AGENT.value,
        "body": body,
        "attachment": attachment,
        "at": at,
        "reactions": bus.owed_to(AnswerLeft),
    }
    sent = await _store(AS_AGENT[attachment is not None], values, lock=conversation)
    if sent is not None:
        return sent
    mine = f"""c.id = %(conversation)s AND {SESSION_VALID_SQL} AND (
        c.agent_id = %(agent_id)s OR m.agent_id = %(agent_id)s)"""
    row = await _find(mine, values | {"agent_id": desk.agent_id})
    if (sent := _known(row, values)) is not None:
        return sent
    if row["is_mine"] and row["withdrawn_at"] is not None:
        raise Rejected(
            "consent",
            _("This visitor has withdrawn their consent. You can no longer send messages to them."),
            403,
        )
    if attachment is not None and row["status"] == Status.ACTIVE and row["is_mine"]:
        raise rejections.no_file()
    raise rejections.not_on_desk()


async def _store(query: str, values: dict[str, Any], *, lock: int | None) -> Sent | None:
    """Store a message in the conversation with the number ``lock``, together with others that wait;
    by itself if its number is not known yet."""
    values["translating"] = bus.owed_to(TranslationOwed)
    try:
        if lock is None:
            row = await async_pool.fetch_one(query, values)
        else:
            row = await batches.fetch_one(query, values, lock=lock)
    except psycopg.errors.UniqueViolation:
        return None  # An equal request was faster; the caller reads its message.
    if row is None:
        return None
    _remember_number(row["public_id"], row["id"])
    fact = _fact(row, row["last_seq"], row["name"], values)
    await bus.announce(fact)
    if row.get("owed"):
        await bus.wake_worker_later(row["owed"])
    return Sent(fact.message, is_new=True)


def _remember_number(public_id: uuid.UUID, number: int) -> None:
    if public_id not in _numbers:
        if len(_numbers) >= KNOWN_NUMBERS:
            del _numbers[next(iter(_numbers))]
        _numbers[public_id] = number


async def _find(guard: str, values: dict[str, Any]) -> dict[str, Any]:
    row = await async_pool.fetch_one(SITUATION.format(guard=guard), values)
    if row is None:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    return row


def _known(row: dict[str, Any], values: dict[str, Any]) -> Sent | None:
    """Return the message already stored under this client id, if there is one."""
    if row["seq"] is None:
        return None
    known = (row["author"], row["body"], row["attachment_id"])
    # The same id with other content is a fault of the client, and must not look as if it were
    # stored.
    if known != (values["author"], values["body"], values["attachment"]):
        raise rejections.conflict()
    stored = frame(
        seq=row["seq"],
        client_id=values["client_id"],
        author=row["author"],
        name=row["display_name"] or "",
        body=row["body"],
        at=row["created_at"],
        attachment=attachment_of(row),
    )
    return Sent(stored, is_new=False)


def _fact(row: dict[str, Any], seq: int, name: str, values: dict[str, Any]) -> MessageAdded:
    return MessageAdded(
        conversation_id=row["id"],
        public_id=str(row["public_id"]),
        website_id=row["website_id"],
        visitor_id=row["visitor_id"],
        agent_id=row["agent_id"],
        message=frame(
            seq=seq,
            client_id=values["client_id"],
            author=values["author"],
            name=name,
            body=values["body"],
            at=values["at"],
            attachment=row.get("attachment"),
            offer=values.get("offer"),
        ),
        email=values.get("email"),
    )


@transaction.atomic
def add(
    conversation_id: int,
    *,
    author: Author,
    body: str,
    client_id: uuid.UUID,
    at: datetime,
    attachment: uuid.UUID | None = None,
    offer: dict[str, Any] | None = None,
    email: uuid.UUID | None = None,
) -> Sent:
    """Store a message in the caller's transaction. The caller has checked the permission to write
    and stores the ``email`` that it came from.

    ``offer`` comes from ``rich_content.check_rich_content``, with its body. A visitor's message
    first brings a paused conversation back. A repeat returns the stored message.
    """
    conversation = verbs.lock(conversation_id)
    stored = (
        conversation.messages.filter(client_id=client_id)
        .select_related("agent", "attachment")
        .first()
    )
    if stored is not None:
        if (stored.author, stored.body, stored.attachment_id) != (author, body, attachment):
            raise rejections.conflict()
        return Sent(frame_of(stored), is_new=False)
    if author == Author.VISITOR and blocks.in_force(conversation.visitor, at=at).exists():
        raise rejections.blocked()
    if author == Author.VISITOR:
        persons.check_willing(conversation.visitor)
    # First, because the statement stores no visitor's message in a paused conversation.
    if author == Author.VISITOR and conversation.status in PAUSED:
        verbs.visitor_replied(conversation, at=at)
    if author == Author.VISITOR and attachment is not None:
        attachments.adopt(conversation)
    return _insert(
        conversation,
        author=author,
        body=body,
        client_id=client_id,
        at=at,
        attachment=attachment,
        offer=offer,
        email=email,
    )


def add_first(
    conversation: Conversation,
    *,
    body: str,
    client_id: uuid.UUID,
    at: datetime,
    attachment: uuid.UUID | None = None,
) -> Sent:
    """Store the message or file that begins a conversation, in the transaction that creates it. No
    other sender and no repeat are possible."""
    if attachment is not None:
        attachments.adopt(conversation)
    return _insert(
        conversation,
        author=Author.VISITOR,
        body=body,
        client_id=client_id,
        at=at,
        attachment=attachment,
        is_first=True,
    )


def frame_of(stored: Message) -> dict[str, Any]:
    """Return a stored message as clients receive it."""
    carried = stored.attachment
    return frame(
        seq=stored.seq,
        client_id=stored.client_id,
        author=stored.author,
        name=_name_of(stored),
        body=stored.body,
        at=stored.created_at,
        attachment=None
        if carried is None
        else attachment_of(
            vars(carried) | {"attachment_id": carried.pk, "attachment_name": carried.name}
        ),
        offer=stored.offer,
    )


def _name_of(stored: Message) -> str:
    if stored.agent is not None:
        return stored.agent.display_name
    return stored.conversation.bot_name if stored.author == Author.BOT else ""


def _insert(
    conversation: Conversation,
    *,
    author: Author,
    body: str,
    client_id: uuid.UUID,
    at: datetime,
    attachment: uuid.UUID | None = None,
    offer: dict[str, Any] | None = None,
    email: uuid.UUID | None = None,
    is_first: bool = False,
) -> Sent:
    query = stored_by(
        TRUSTED[author],
        "c.id = %(conversation)s",
        is_agent=author == Author.AGENT,
        has_file=attachment is not None,
        has_offer=offer is not None,
    )
    values: dict[str, Any] = {
        "conversation": conversation.pk,
        "client_id": client_id,
        "author": author.value,
        "body": body,
        "attachment": attachment,
        "at": at,
        "bot_patience": verbs.BOT_PATIENCE,
        "offer": offer,
        "email": str(email) if email else None,
        # The first message is part of what begins a bot.
        "reactions": []
        if is_first
        else bus.owed_to(VisitorWroteToBot if author == Author.VISITOR else AnswerLeft),
        "translating": [] if author == Author.SYSTEM else bus.owed_to(TranslationOwed),
    }
    with connection.cursor() as cursor:
        # Django's cursor does not adapt dictionaries.
        cursor.execute(query, values | {"offer": json.dumps(offer)})
        row = cursor.fetchone()
        names = [column.name for column in cursor.description]
    if row is None:
        raise _refusal(conversation, has_file=attachment is not None)
    stored = dict(zip(names, row, strict=True))
    if isinstance(stored.get("attachment"), str):  # Django's cursor does not parse JSON.
        stored["attachment"] = json.loads(stored["attachment"])
    fact = _fact(stored, stored["last_seq"], stored["name"], values)
    bus.publish(fact)
    if owed := stored.get("owed"):
        # After the commit, because a worker could look for the entries before they can be seen.
        transaction.on_commit(lambda: bus.wake_worker(owed), robust=True)
    return Sent(fact.message, is_new=True)


def _refusal(conversation: Conversation, *, has_file: bool) -> Rejected:
    if conversation.status == Status.CLOSED:
        return rejections.closed()
    return rejections.no_file() if has_file else rejections.not_on_desk()
