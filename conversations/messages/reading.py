"""Reading messages after a number, and marking them as read; one round trip each."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from typing import Any

from channels.db import database_sync_to_async
from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from accounts.desk_session import SESSION_VALID_SQL, DeskSession
from accounts.models.hours import IS_OPEN
from conversations.facts import MessagesRead
from conversations.language_models import translations
from conversations.messages.sending import attachment_of, frame
from conversations.models import Conversation
from conversations.respondent import respondent
from conversations.visitors.persons import SPOKEN_FOR, WILLING
from core.db import async_pool
from core.events import bus
from core.rejection import Rejected

PAGE = 500
SEQ_LIMIT = 2**31 - 1  # that of the column: PostgreSQL refuses larger numbers

# The states that visitors see; the nine of the lifecycle are for agents.
SEEN_AS = {
    "bot": "bot",
    "queued": "waiting",
    "assigned": "waiting",
    "active": "active",
    "snoozed": "paused",
    "pending": "paused",
    "on_hold": "paused",
    "solved": "solved",
    "closed": "closed",
}

# One row for each message, or a single one with empty message columns. Each repeats the
# conversation. Plain SQL: it runs in the event loop, in one round trip, for each client every 25 s.
AFTER = """
    SELECT c.id, c.public_id, c.status, c.channel, c.group_id, c.inbox_id, c.bot_name,
           c.bot_picture, c.is_asynchronous, c.last_seq, c.agent_read_seq,
           c.visitor_read_seq, c.opened_at, c.closed_at, holder.display_name AS holder,
           once.hidden_seq, c.moved_at, c.last_agent_message_at,
           c.opened_from <> '' AND c.seen_again_at IS NULL AS is_silent, once.is_translated,
           {is_connected} AS is_connected,
           CASE WHEN c.status = 'queued' AND NOT {is_open} THEN true ELSE false END AS is_closed,
           team.hours_change_at,
           EXISTS (
               SELECT FROM conversations_survey s
               WHERE s.conversation_id = c.id AND s.answered_at IS NULL
           ) AS survey,
           CASE WHEN c.status = 'queued' THEN (
               SELECT count(*) FROM conversations_conversation w
               WHERE w.status = 'queued' AND w.group_id = c.group_id AND w.channel = c.channel
               AND (w.queued_at, w.id) <= (c.queued_at, c.id)
           ) END AS place,
           m.seq, m.client_id, m.author, m.body, m.offer, m.created_at,
           coalesce(writer.display_name, CASE WHEN m.author = 'bot' THEN c.bot_name END, '')
               AS writer,
           x.id AS attachment_id, x.name AS attachment_name, x.content_type, x.size, x.width,
           x.height, {email} AS email
    FROM conversations_conversation c
    JOIN conversations_visitor v ON v.id = c.visitor_id
    LEFT JOIN accounts_agent holder ON holder.id = c.agent_id
    {presences}
    LEFT JOIN accounts_group team ON team.id = c.group_id
    CROSS JOIN LATERAL (
        SELECT {hidden} AS hidden_seq, EXISTS (
            SELECT FROM conversations_messagetranslation t WHERE t.conversation_id = c.id
        ) AS is_translated
    ) once
    LEFT JOIN LATERAL (
        SELECT * FROM conversations_message m
        WHERE m.conversation_id = c.id AND m.seq > greatest(%(after_seq)s, once.hidden_seq)
        ORDER BY m.seq LIMIT %(limit)s
    ) m ON true
    LEFT JOIN accounts_agent writer ON writer.id = m.agent_id
    LEFT JOIN conversations_attachment x ON x.id = m.attachment_id
    {emails}
    WHERE {guard}
    ORDER BY m.seq
"""

# Only agents see the e-mail that a message came from.
NO_EMAIL = {"email": "NULL::uuid", "emails": ""}
WITH_EMAIL = {
    "email": "e.id",
    "emails": """LEFT JOIN conversations_inboundemail e
        ON e.conversation_id = m.conversation_id AND e.seq = m.seq""",
}

# Only visitors see whether their agent is connected. A higher room records it: its caller names the
# table, which has one row for each agent.
NO_PRESENCE = {"is_connected": "false", "presences": ""}


def _with_presence(model: type[Model]) -> dict[str, str]:
    return {
        "is_connected": "coalesce(desk.is_connected, false)",
        "presences": f"LEFT JOIN {model._meta.db_table} desk ON desk.agent_id = c.agent_id",
    }


# The last message that a visitor has hidden (C13); agents see all.
HIDDEN_SEQ = """CASE WHEN v.hidden_at IS NULL THEN 0 ELSE (
    SELECT coalesce(max(h.seq), 0) FROM conversations_message h
    WHERE h.conversation_id = c.id AND h.created_at <= v.hidden_at
) END"""

# Whether the group is open; true without a group.
TEAM_IS_OPEN = f"coalesce({IS_OPEN.format(group='team')}, true)"

# Only forwards, and not beyond the last message: reports arrive late, or are made up.
VISITOR_READ = f"""
    UPDATE conversations_conversation c SET visitor_read_seq = %(seq)s
    FROM conversations_visitor v
    WHERE c.public_id = %(conversation)s AND v.id = c.visitor_id
    AND {SPOKEN_FOR} AND {WILLING}
    AND c.visitor_read_seq < %(seq)s AND c.last_seq >= %(seq)s
    RETURNING c.id, c.public_id, c.visitor_id, c.agent_id
"""

AGENT_READ = f"""
    UPDATE conversations_conversation c SET agent_read_seq = %(seq)s
    WHERE c.id = %(conversation)s AND c.agent_id = %(agent_id)s AND {SESSION_VALID_SQL}
    AND c.agent_read_seq < %(seq)s AND c.last_seq >= %(seq)s
    RETURNING c.id, c.public_id, c.visitor_id, c.agent_id
"""


def check_seq(value: object) -> int:
    try:
        seq = int(str(value))
    except ValueError:
        seq = -1
    if not 0 <= seq <= SEQ_LIMIT:
        raise Rejected("invalid", _("This is not a message number."), 400)
    return seq


async def for_visitor(
    *,
    conversation: uuid.UUID,
    token_hash: str,
    after_seq: int,
    at: datetime,
    presence: type[Model],
) -> dict[str, Any]:
    """Return the messages after ``after_seq``, and the conversation as its visitor sees it.

    ``presence`` has a row for each agent, with ``is_connected``.
    """
    values = {
        "conversation": conversation,
        "token_hash": token_hash,
        "after_seq": after_seq,
        "limit": PAGE,
        "at": at,
    }
    query = _for_visitor(f"c.public_id = %(conversation)s AND {SPOKEN_FOR}", presence)
    rows = await async_pool.fetch_all(query, values)
    if not rows:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    # An open Messenger fetches: the visitor is still there, and the conversation takes its place
    # again.
    if rows[0]["is_silent"]:
        # Once for each conversation. Later messages of the visitor are such a sign, too.
        silent = Conversation.objects.filter(public_id=conversation, seen_again_at=None)
        await database_sync_to_async(silent.update)(seen_again_at=at)
    shown = seen_by_visitor(rows[0], at=at)
    answer = {"messages": _frames(rows), "conversation": shown} | _more(rows)
    if rows[0]["is_translated"]:
        last, number = rows[0]["last_seq"], rows[0]["id"]
        answer["translations"] = await database_sync_to_async(translations.for_visitor)(
            number, after_seq=after_seq, last_seq=last, hidden_seq=rows[0]["hidden_seq"]
        )
    return answer


def row_for_visitor(conversation: int, *, at: datetime, presence: type[Model]) -> dict[str, Any]:
    """Return what ``seen_by_visitor`` reads of the conversation with this number, and its group."""
    values: dict[str, Any] = {
        "conversation": conversation,
        "after_seq": SEQ_LIMIT,
        "limit": 0,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_for_visitor("c.id = %(conversation)s", presence), values)
        row = cursor.fetchone()
        return dict(zip([column.name for column in cursor.description], row, strict=True))


@cache
def _for_visitor(guard: str, presence: type[Model]) -> str:
    return AFTER.format(
        guard=guard,
        hidden=HIDDEN_SEQ,
        is_open=TEAM_IS_OPEN,
        **_with_presence(presence),
        **NO_EMAIL,
    )


async def for_agent(*, conversation: int, after_seq: int, agent: int | None) -> dict[str, Any]:
    """Return the same for a desk. The caller has checked that the user, who may be an ``agent``,
    may see it."""
    values = {"conversation": conversation, "after_seq": after_seq, "limit": PAGE}
    guard = "c.id = %(conversation)s"
    query = AFTER.format(guard=guard, hidden="0", is_open="true", **NO_PRESENCE, **WITH_EMAIL)
    rows = await async_pool.fetch_all(query, values)
    if not rows:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    answer = {
        "messages": _frames(rows),
        "read_by_visitor": rows[0]["visitor_read_seq"],
        "last_seq": rows[0]["last_seq"],
        "status": rows[0]["status"],
        "by_inbox": rows[0]["inbox_id"] is not None,
    } | _more(rows)
    if rows[0]["is_translated"]:
        answer["translations"] = await database_sync_to_async(translations.for_desk)(
            conversation, after_seq=after_seq, last_seq=answer["last_seq"], agent_id=agent
        )
    return answer


def seen_by_visitor(row: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    """Return a conversation as the Messenger shows it (docs/protocol.md)."""
    agent = respondent(
        row["status"],
        row["holder"],
        since=row["moved_at"],
        wrote_at=row["last_agent_message_at"],
        is_connected=row["is_connected"],
        at=at,
    )
    opens_at = row["hours_change_at"] if row["is_closed"] else None
    return {
        "id": str(row["public_id"]),
        "status": SEEN_AS[row["status"]],
        "channel": row["channel"],
        "asynchronous": row["is_asynchronous"],
        "agent": {"name": agent.name, "part": agent.part.value} if agent else None,
        "bot": _bot_of(row),
        "last_seq": row["last_seq"],
        "hidden_seq": row["hidden_seq"],
        "read_by_agent": row["agent_read_seq"],
        "read_by_me": row["visitor_read_seq"],
        "survey": row["survey"],
        "opened_at": row["opened_at"].isoformat(),
        "closed_at": row["closed_at"].isoformat() if row["closed_at"] else None,
        "place": row["place"],
        "closed": row["is_closed"],
        # A moment that has passed while beat is late is no announcement.
        "opens_at": opens_at.isoformat() if opens_at is not None and opens_at > at else None,
        "within": None,  # Set by the messenger app from the wait estimate.
    }


def _bot_of(row: dict[str, Any]) -> dict[str, str] | None:
    if not row["bot_name"]:
        return None
    return {"name": row["bot_name"], "picture": row["bot_picture"]}


def _frames(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        frame(
            seq=row["seq"],
            client_id=row["client_id"],
            author=row["author"],
            name=row["writer"],
            body=row["body"],
            at=row["created_at"],
            attachment=attachment_of(row),
            offer=row["offer"],
            email=row["email"],
        )
        for row in rows
        if row["seq"] is not None
    ]


def _more(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"more": True} if len(rows) == PAGE else {}


async def read_by_visitor(*, conversation: uuid.UUID, token_hash: str, seq: int) -> None:
    """Mark all messages up to ``seq`` as read by the visitor. A smaller number has no effect."""
    values = {"conversation": conversation, "token_hash": token_hash, "seq": seq}
    await _announce(await async_pool.fetch_one(VISITOR_READ, values), by="visitor", seq=seq)


async def read_by_agent(*, conversation: int, desk: DeskSession, seq: int) -> None:
    """Mark all messages up to ``seq`` as read by the agent who holds the conversation."""
    values = {
        "conversation": conversation,
        "agent_id": desk.agent_id,
        **desk.proof,
        "seq": seq,
    }
    await _announce(await async_pool.fetch_one(AGENT_READ, values), by="agent", seq=seq)


async def _announce(row: dict[str, Any] | None, *, by: str, seq: int) -> None:
    if row is None:
        return
    await bus.announce(
        MessagesRead(
            conversation_id=row["id"],
            public_id=str(row["public_id"]),
            visitor_id=row["visitor_id"],
            agent_id=row["agent_id"],
            by=by,
            seq=seq,
        )
    )
