"""What the ledger says as well and the verbs keep on the row, so that figures of years are quick.

Each of it follows from the ledger and the messages alone: ``manage.py verify_ledger`` replays it
verb by verb, ``conversations.recounting`` recounts it by statements of its own (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from conversations.actors import Actor
from conversations.models import ActorKind, Conversation
from conversations.transitions import WAITING, WAITS_ON, Status, Verb

WAITS = frozenset({"began_to_wait_at"})
HELD = frozenset({"last_holder_id", "contact_count", "changed_hands"})
PAYS = frozenset({"payee_id"})
COPIED = ("website_id", "rule_id", "style", "language")


def copied(conversation: Conversation) -> dict[str, Any]:
    """What a contact and a survey say of their conversation; none of it ever changes."""
    return {name: getattr(conversation, name) for name in COPIED}


def note(conversation: Conversation, verb: Verb, *, at: datetime) -> frozenset[str]:
    """Keep what ``verb`` adds, on the row that it has just changed in memory; which columns."""
    match Status(conversation.status):
        case Status.ACTIVE:
            before = conversation.last_holder_id
            if before is not None and before != conversation.agent_id:
                conversation.changed_hands = True
            conversation.last_holder_id = conversation.agent_id
            conversation.contact_count += 1
            return HELD
        case status if status in WAITING and verb not in WAITS_ON:
            conversation.began_to_wait_at = at
            return WAITS
        case Status.BOT:
            conversation.is_begun_by_bot = True
        case Status.CLOSED:
            return PAYS
    return frozenset()


# Who closed it, where that was an agent; else the last human who wrote (C28).
PAYEES = """
    SELECT v.id, CASE WHEN v.user_id IS NOT NULL
        THEN (SELECT a.id FROM accounts_agent a WHERE a.user_id = v.user_id)
        ELSE (SELECT m.agent_id FROM conversations_message m
              WHERE m.conversation_id = v.id AND m.author = 'agent' ORDER BY m.seq DESC LIMIT 1)
        END
    FROM unnest(%s::bigint[], %s::bigint[]) v (id, user_id)
"""


def note_payees(closed: Sequence[tuple[Conversation, Actor]]) -> None:
    """Whom closed conversations pay, if he is an expert; closed by a manager they pay nobody."""
    paying = {
        one.pk: (one, actor.user_id if actor.kind == ActorKind.AGENT else None)
        for one, actor in closed
        if actor.kind != ActorKind.MANAGER
    }
    if not paying:
        return
    with connection.cursor() as cursor:
        cursor.execute(PAYEES, [[*paying], [user for _one, user in paying.values()]])
        for number, agent_id in cursor.fetchall():
            paying[number][0].payee_id = agent_id
