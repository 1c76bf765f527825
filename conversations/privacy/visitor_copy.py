"""The copy of their data that visitors can download themselves (GDPR 15 and 20).

Only the tables and fields named here are included. Internal notes of agents, and how conversations
were distributed, are part of the full export that the website provides on request.
"""

from __future__ import annotations

from typing import Any

from conversations.models import Visitor
from conversations.privacy import personal_data

GIVEN: dict[str, tuple[str, ...]] = {
    "conversations.person": ("external_id", "name", "profile", "created_at"),
    "conversations.visitor": ("public_id", "name", "language", "created_at", "withdrawn_at"),
    "conversations.address": ("email", "wants_mail", "given_at"),
    "conversations.consent": ("kind", "version", "language", "text", "text_sha256", "given_at"),
    "conversations.profile": ("device", "language", "referrer", "place", "data", "said_at"),
    "conversations.seenpage": ("url", "title", "seen_at"),
    "conversations.conversation": ("id", "language", "page_url", "opened_at", "closed_at"),
    "conversations.message": ("conversation_id", "seq", "author", "body", "created_at"),
    "conversations.attachment": ("conversation_id", "name", "content_type", "size", "created_at"),
    "conversations.inboundemail": ("conversation_id", "sender", "subject", "text", "received_at"),
    "conversations.survey": ("conversation_id", "answered_at", "csat", "nps", "comment"),
    "messenger.mail": ("conversation_id", "to", "created_at"),
    "reporting.claim": ("amount", "currency", "made_at"),
    "reporting.transaction": ("external_id", "amount", "refunded", "currency", "made_at"),
}
WITHHELD = {
    "conversations.block",
    "conversations.contact",
    "conversations.draft",
    "conversations.event",
    "conversations.note",
    "conversations.notice",
    "conversations.pastanswer",
    "conversations.suggestionoffer",
    "conversations.surveyomission",
    "messenger.attempt",
    "messenger.reply",
    "reporting.refund",
    "routing.repair",
}


def copy_for(visitor: Visitor) -> dict[str, Any]:
    """Return the copy by table, as plain JSON, for all visitors of the same person."""
    whole = personal_data.export(personal_data.of_visitor(visitor))
    tables = {
        label.partition(".")[2]: [{name: row[name] for name in GIVEN[label]} for row in rows]
        for label, rows in whole["tables"].items()
        if label in GIVEN
    }
    return {"website": whole["website"], "kept": tables}
