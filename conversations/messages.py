"""The message path: a message is accepted when it is committed, once for each client id.

One statement takes the next number and stores the message, so that numbers have neither gap nor
double (accept = commit). The row lock of its UPDATE orders all senders of a
conversation. Two equal requests at once: the second meets the unique constraint, its whole
statement is undone, and it is answered with what the first one stored.

``send_as_visitor`` and ``send_as_agent`` are for the async doors: one round trip for the usual
case, who may write included. A visitor's message that moves the conversation (a reply to a snoozed
one) and the messages of bots and of the product go through ``add``, inside a transaction.
"""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from channels.db import database_sync_to_async
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.passes import GUARD, DeskPass
from conversations import bus, lifecycle, pool
from conversations.facts import MessageAdded
from conversations.models import Author, Conversation
from conversations.transitions import PAUSED, Status

BODY_LIMIT = 4000

VISITOR_GROWS = """
    UPDATE conversations_conversation c SET
        last_seq = c.last_seq + 1,
        visitor_read_seq = c.last_seq + 1,
        last_visitor_message_at = %(at)s,
        visitor_waits_since = coalesce(c.visitor_waits_since, %(at)s),
        deadline_at = CASE c.deadline_kind WHEN 'bot_inactivity' THEN NULL ELSE c.deadline_at END,
        deadline_kind = CASE c.deadline_kind WHEN 'bot_inactivity' THEN '' ELSE c.deadline_kind END
    FROM conversations_visitor v
    WHERE v.id = c.visitor_id AND c.status IN ('bot', 'queued', 'assigned', 'active')
"""

# An absent visitor who left an address is told of the answer (R11): ``notify_at`` says when to look.
AGENT_GROWS = """
    UPDATE conversations_conversation c SET
        last_seq = c.last_seq + 1,
        agent_read_seq = c.last_seq + 1,
        last_agent_message_at = %(at)s,
        first_human_reply_at = coalesce(c.first_human_reply_at, %(at)s),
        visitor_waits_since = NULL,
        notify_at = coalesce(c.notify_at, (
            SELECT %(at)s::timestamptz FROM conversations_address d
            WHERE d.visitor_id = c.visitor_id AND d.wants_mail AND c.is_asynchronous
        )),
        deadline_at = CASE c.deadline_kind WHEN 'answer_timer' THEN NULL ELSE c.deadline_at END,
        deadline_kind = CASE c.deadline_kind WHEN 'answer_timer' THEN '' ELSE c.deadline_kind END
    FROM accounts_agent a
    WHERE a.id = c.agent_id AND c.status = 'active'
"""

# The bot spoke last: the visitor's five minutes run anew (R37, C7). A late word of a bot from whom
# a human has taken over is refused.
BOT_GROWS = """
    UPDATE conversations_conversation c SET
        last_seq = c.last_seq + 1,
        deadline_at = %(at)s + %(bot_patience)s,
        deadline_kind = 'bot_inactivity'
    FROM conversations_visitor v
    WHERE v.id = c.visitor_id AND c.status = 'bot'
"""

SYSTEM_GROWS = """
    UPDATE conversations_conversation c SET last_seq = c.last_seq + 1
    FROM conversations_visitor v
    WHERE v.id = c.visitor_id AND c.status <> 'closed'
"""

STORED = """
    WITH grown AS (
        {grows} AND {guard} AND NOT EXISTS (
            SELECT FROM conversations_message m
            WHERE m.conversation_id = c.id AND m.client_id = %(client_id)s
        )
        RETURNING c.id, c.public_id, c.website_id, c.visitor_id, c.agent_id, c.last_seq, {name}
    ), stored AS (
        INSERT INTO conversations_message
            (conversation_id, seq, client_id, author, agent_id, body, created_at)
        SELECT id, last_seq, %(client_id)s, %(author)s, {author_agent}, %(body)s, %(at)s FROM grown
    )
    SELECT id, public_id, website_id, visitor_id, agent_id, last_seq, name FROM grown
"""

AS_VISITOR = STORED.format(
    grows=VISITOR_GROWS,
    guard="c.public_id = %(conversation)s AND v.token_hash = %(token_hash)s",
    name="'' AS name",
    author_agent="NULL::bigint",
)
AS_AGENT = STORED.format(
    grows=AGENT_GROWS,
    guard=f"c.id = %(conversation)s AND a.user_id = %(user_id)s AND {GUARD}",
    name="a.display_name AS name",
    author_agent="agent_id",
)
TRUSTED = {
    Author.VISITOR: (VISITOR_GROWS, "NULL::bigint"),
    Author.AGENT: (AGENT_GROWS, "agent_id"),
    Author.BOT: (BOT_GROWS, "NULL::bigint"),
    Author.SYSTEM: (SYSTEM_GROWS, "NULL::bigint"),
}

FOUND = """
    SELECT c.id, c.public_id, c.website_id, c.visitor_id, c.agent_id, c.status,
           m.seq, m.author, m.body, m.created_at, a.display_name
    FROM conversations_conversation c
    JOIN conversations_visitor v ON v.id = c.visitor_id
    LEFT JOIN conversations_message m
        ON m.conversation_id = c.id AND m.client_id = %(client_id)s
    LEFT JOIN accounts_agent a ON a.id = m.agent_id
    WHERE {guard}
"""


class Rejected(Exception):
    """A message that was not accepted: ``code`` for programs, the text for people, ``status``
    the HTTP status that says the same."""

    def __init__(self, code: str, text: str, status: int) -> None:
        self.code = code
        self.text = text
        self.status = status
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted message: the frame that screens show, and whether it is new or a repeat."""

    frame: dict[str, Any]
    is_new: bool


def frame(
    *, seq: int, client_id: uuid.UUID, author: str, name: str, body: str, at: datetime
) -> dict[str, Any]:
    """A message as every client reads it, over the socket as in answers."""
    return {
        "seq": seq,
        "id": str(client_id),
        "author": author,
        "name": name,
        "body": body,
        "at": at.isoformat(timespec="milliseconds"),
    }


def check_body(body: object) -> str:
    """The text to store: line ends made equal, control characters gone, not empty, not too long."""
    if not isinstance(body, str):
        raise Rejected("invalid", _("A message must be text."), 400)
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
    ).strip()
    # Zero-width characters alone would be a bubble with nothing in it.
    if all(character.isspace() or unicodedata.category(character) == "Cf" for character in text):
        raise Rejected("empty", _("Write something first: the message is empty."), 400)
    if len(text) > BODY_LIMIT:
        raise Rejected(
            "too_long",
            _("This message has %(n)d characters; %(limit)d is the most. Please send it in parts.")
            % {"n": len(text), "limit": BODY_LIMIT},
            413,
        )
    return text


def check_client_id(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise Rejected("invalid", _("The message has no valid id."), 400) from None


async def send_as_visitor(
    *,
    conversation: uuid.UUID,
    token_hash: str,
    client_id: uuid.UUID,
    body: str,
    at: datetime,
) -> Sent:
    """Accept a visitor's message; wakes or reopens a paused conversation (R113, C2, C34)."""
    values = {
        "conversation": conversation,
        "token_hash": token_hash,
        "client_id": client_id,
        "author": Author.VISITOR.value,
        "body": body,
        "at": at,
    }
    sent = await _store(AS_VISITOR, values)
    if sent is not None:
        return sent
    found = await _find("c.public_id = %(conversation)s AND v.token_hash = %(token_hash)s", values)
    sent = _known(found, values)
    if sent is not None:
        return sent
    if found["status"] == Status.CLOSED:
        raise _closed()
    woken: Sent = await database_sync_to_async(add)(
        found["id"], author=Author.VISITOR, body=body, client_id=client_id, at=at
    )
    return woken


async def send_as_agent(
    *, conversation: int, desk: DeskPass, client_id: uuid.UUID, body: str, at: datetime
) -> Sent:
    """Accept the message of the agent on whose desk the conversation is."""
    values = {
        "conversation": conversation,
        "session_key": desk.session_key,
        "user_id": desk.user_id,
        "password": desk.password,
        "client_id": client_id,
        "author": Author.AGENT.value,
        "body": body,
        "at": at,
    }
    sent = await _store(AS_AGENT, values)
    if sent is not None:
        return sent
    mine = f"""c.id = %(conversation)s AND {GUARD} AND (
        c.agent_id = %(agent_id)s OR m.agent_id = %(agent_id)s)"""
    found = await _find(mine, values | {"agent_id": desk.agent_id})
    sent = _known(found, values)
    if sent is not None:
        return sent
    raise _not_on_desk()


def _closed() -> Rejected:
    return Rejected("closed", _("This conversation is closed. You can start a new one."), 410)


def _not_on_desk() -> Rejected:
    return Rejected(
        "not_on_desk", _("This conversation is no longer on your desk; nothing was sent."), 409
    )


async def _store(query: str, values: dict[str, Any]) -> Sent | None:
    try:
        row = await pool.fetch_one(query, values)
    except psycopg.errors.UniqueViolation:
        return None  # An equal request was quicker; the caller finds what it stored.
    if row is None:
        return None
    fact = _fact(row, row["last_seq"], row["name"], values)
    await bus.announce(fact)
    return Sent(fact.message, is_new=True)


async def _find(guard: str, values: dict[str, Any]) -> dict[str, Any]:
    found = await pool.fetch_one(FOUND.format(guard=guard), values)
    if found is None:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    return found


def _known(found: dict[str, Any], values: dict[str, Any]) -> Sent | None:
    """What was stored under this client id before, if anything was."""
    if found["seq"] is None:
        return None
    if found["author"] != values["author"] or found["body"] != values["body"]:
        raise Rejected("conflict", _("Another message was sent under the same id."), 409)
    stored = frame(
        seq=found["seq"],
        client_id=values["client_id"],
        author=found["author"],
        name=found["display_name"] or "",
        body=found["body"],
        at=found["created_at"],
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
        ),
    )


@transaction.atomic
def add(
    conversation_id: int,
    *,
    author: Author,
    body: str,
    client_id: uuid.UUID,
    at: datetime,
) -> Sent:
    """Store a message in the caller's transaction; the caller has checked who may write.

    A visitor's message first brings a paused conversation back. Repeats are answered as such.
    """
    conversation = lifecycle.lock(conversation_id)
    stored = conversation.messages.filter(client_id=client_id).select_related("agent").first()
    if stored is not None:
        if stored.author != author or stored.body != body:
            raise Rejected("conflict", _("Another message was sent under the same id."), 409)
        name = stored.agent.display_name if stored.agent else ""
        known = frame(
            seq=stored.seq,
            client_id=client_id,
            author=author.value,
            name=name,
            body=body,
            at=stored.created_at,
        )
        return Sent(known, is_new=False)
    if author == Author.VISITOR and conversation.status in PAUSED:
        lifecycle.visitor_replied(conversation, at=at)
    return _insert(conversation, author=author, body=body, client_id=client_id, at=at)


def add_first(conversation: Conversation, *, body: str, client_id: uuid.UUID, at: datetime) -> Sent:
    """Store the visitor's words that began a conversation, in the transaction that made it: there
    is nobody to wait for and nothing to repeat."""
    return _insert(conversation, author=Author.VISITOR, body=body, client_id=client_id, at=at)


def _insert(
    conversation: Conversation, *, author: Author, body: str, client_id: uuid.UUID, at: datetime
) -> Sent:
    grows, author_agent = TRUSTED[author]
    named = author == Author.AGENT
    query = STORED.format(
        grows=grows,
        guard="c.id = %(conversation)s",
        name="a.display_name AS name" if named else "'' AS name",
        author_agent=author_agent,
    )
    values: dict[str, Any] = {
        "conversation": conversation.pk,
        "client_id": client_id,
        "author": author.value,
        "body": body,
        "at": at,
        "bot_patience": lifecycle.BOT_PATIENCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
        names = [column.name for column in cursor.description]
    if row is None:
        raise _closed() if conversation.status == Status.CLOSED else _not_on_desk()
    told = dict(zip(names, row, strict=True))
    fact = _fact(told, told["last_seq"], told["name"], values)
    bus.publish(fact)
    return Sent(fact.message, is_new=True)
