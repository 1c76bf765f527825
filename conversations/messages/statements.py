"""The SQL of the message path: each statement checks the permission, numbers and stores a message.

Plain SQL: a message is one round trip from the event loop (docs/adr/0004).

Depending on the author, it also updates other columns of the conversation (``*_GROWS``).
"""

from __future__ import annotations

from accounts.desk_session import SESSION_VALID_SQL
from conversations.lifecycle.transitions import BOT_ANSWER_SECONDS
from conversations.models import Author
from conversations.visitors.blocks import NOT_BLOCKED
from conversations.visitors.persons import SPOKEN_FOR, WILLING

# A bot has this long to answer a visitor's first unanswered message before agents are asked to take
# over. (C7: the visitor's timer runs only while the bot wrote last.)
# ``seen_again_at``: the first message is no sign that its visitor stays; any later one is.
VISITOR_GROWS = f"""
    UPDATE conversations_conversation c SET
        last_seq = c.last_seq + 1,
        visitor_read_seq = c.last_seq + 1,
        last_visitor_message_at = %(at)s,
        visitor_waits_since = coalesce(c.visitor_waits_since, %(at)s),
        seen_again_at = CASE WHEN c.last_seq > 0
            THEN coalesce(c.seen_again_at, %(at)s) END,
        deadline_at = CASE WHEN c.status = 'bot' AND c.deadline_kind <> 'bot_silence'
            THEN %(at)s::timestamptz + interval '{BOT_ANSWER_SECONDS} seconds'
            ELSE c.deadline_at END,
        deadline_kind = CASE c.status WHEN 'bot' THEN 'bot_silence' ELSE c.deadline_kind END
    FROM conversations_visitor v
    WHERE v.id = c.visitor_id AND c.status IN ('bot', 'queued', 'assigned', 'active')
"""

# An absent visitor who left an address is notified of the reply by e-mail (R11) at ``notify_at``.
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
            AND c.inbox_id IS NULL
        )),
        deadline_at = CASE c.deadline_kind WHEN 'answer_timer' THEN NULL ELSE c.deadline_at END,
        deadline_kind = CASE c.deadline_kind WHEN 'answer_timer' THEN '' ELSE c.deadline_kind END
    FROM accounts_agent a
    WHERE a.id = c.agent_id AND c.status = 'active'
"""

# The bot wrote last, so the visitor's five minutes restart (R37, C7). After an agent has taken
# over, late messages of the bot are refused.
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
        RETURNING c.id, c.public_id, c.website_id, c.visitor_id, c.agent_id, c.last_seq, c.status,
            c.inbox_id, {name}
    ){owed}, stored AS (
        INSERT INTO conversations_message
            (conversation_id, seq, client_id, author, agent_id, body, created_at{column})
        SELECT id, last_seq, %(client_id)s, %(author)s, {author_agent}, %(body)s, %(at)s{value}
        FROM grown
    )
    SELECT id, public_id, website_id, visitor_id, agent_id, last_seq, name{shown} FROM grown
"""

# What a bot owes a visitor, what an inbox owes an answer, and the translation of what visitors and
# agents write, in the transaction of the message. Whether a translation is needed is decided by the
# worker (conversations.language_models.translating): here it costs a look at a tiny table.
OWED = """, owed AS (
        INSERT INTO conversations_outboxentry (reaction, payload, attempts, last_error)
        SELECT r, jsonb_build_object('conversation_id', grown.id), 0, ''
        FROM grown, unnest(%(reactions)s::text[]) r WHERE {condition}
        UNION ALL
        SELECT r, jsonb_build_object('conversation_id', grown.id, 'seq', grown.last_seq), 0, ''
        FROM grown, unnest(%(translating)s::text[]) r
        WHERE grown.agent_id IS NOT NULL AND %(body)s <> '' AND EXISTS (
            SELECT FROM conversations_languagemodelsettings l
            WHERE l.website_id = grown.website_id AND l.translates
        )
        RETURNING id
    )"""
OWED_TO_VISITOR = OWED.format(condition="grown.status = 'bot'")
OWED_BY_INBOX = OWED.format(condition="grown.inbox_id IS NOT NULL")

# Additional SQL for a message with an attachment; the others, nearly all, do not pay for it. Only
# the uploader can send it, only in this conversation, and only once (a unique constraint).
WITH_FILE = {
    "guard": """ AND EXISTS (
        SELECT FROM conversations_attachment x
        WHERE x.id = %(attachment)s AND x.conversation_id = c.id
        AND x.agent_id IS NOT DISTINCT FROM {uploader}
        AND NOT EXISTS (SELECT FROM conversations_message m WHERE m.attachment_id = x.id)
    )""",
    "column": ", attachment_id",
    "value": ", %(attachment)s",
    "shown": """, (
        SELECT jsonb_build_object('id', x.id, 'name', x.name, 'type', x.content_type,
            'size', x.size, 'width', x.width, 'height', x.height)
        FROM conversations_attachment x WHERE x.id = %(attachment)s
    ) AS attachment""",
}


def stored_by(
    grows: str, guard: str, *, is_agent: bool, has_file: bool, has_offer: bool = False
) -> str:
    """Return the statement for an author, with or without an attachment or an offer."""
    file = WITH_FILE if has_file else dict.fromkeys(WITH_FILE, "")
    is_visitor = grows == VISITOR_GROWS
    speaker = {AGENT_GROWS: "a.display_name", BOT_GROWS: "c.bot_name"}.get(grows, "''")
    return STORED.format(
        grows=grows,
        owed=OWED_TO_VISITOR if is_visitor else OWED_BY_INBOX,
        guard=guard + file["guard"].format(uploader="c.agent_id" if is_agent else "NULL::bigint"),
        name=f"{speaker} AS name",
        author_agent="agent_id" if is_agent else "NULL::bigint",
        column=file["column"] + (", offer" if has_offer else ""),
        value=file["value"] + (", %(offer)s::jsonb" if has_offer else ""),
        shown=file["shown"] + ", ARRAY(SELECT id FROM owed) AS owed",
    )


# Agents cannot write to a visitor who has withdrawn consent (R27).
VISITOR_IS_WILLING = (
    f"EXISTS (SELECT FROM conversations_visitor v WHERE v.id = c.visitor_id AND {WILLING})"
)

AS_VISITOR = {
    has_file: stored_by(
        VISITOR_GROWS,
        f"c.public_id = %(conversation)s AND {SPOKEN_FOR} AND {WILLING} AND {NOT_BLOCKED}",
        is_agent=False,
        has_file=has_file,
    )
    for has_file in (False, True)
}
AS_AGENT = {
    has_file: stored_by(
        AGENT_GROWS,
        f"c.id = %(conversation)s AND a.user_id = %(user_id)s AND {VISITOR_IS_WILLING}"
        f" AND {SESSION_VALID_SQL}",
        is_agent=True,
        has_file=has_file,
    )
    for has_file in (False, True)
}
TRUSTED = {
    Author.VISITOR: VISITOR_GROWS,
    Author.AGENT: AGENT_GROWS,
    Author.BOT: BOT_GROWS,
    Author.SYSTEM: SYSTEM_GROWS,
}

SITUATION = """
    SELECT c.id, c.public_id, c.website_id, c.visitor_id, c.agent_id, c.status, v.withdrawn_at,
           c.agent_id = %(agent_id)s AS is_mine,
           m.seq, m.author, m.body, m.created_at, a.display_name,
           x.id AS attachment_id, x.name AS attachment_name, x.content_type, x.size, x.width,
           x.height
    FROM conversations_conversation c
    JOIN conversations_visitor v ON v.id = c.visitor_id
    LEFT JOIN conversations_message m
        ON m.conversation_id = c.id AND m.client_id = %(client_id)s
    LEFT JOIN accounts_agent a ON a.id = m.agent_id
    LEFT JOIN conversations_attachment x ON x.id = m.attachment_id
    WHERE {guard}
"""
