"""The translations of a conversation's messages, as each side reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.models import Agent, Website
from conversations.language_models import languages
from conversations.models import MessageTranslation, TranslationState

TAIL = 30
"""How many of the messages that a client has may get a translation that it has not heard of: a push
may be lost, so each fetch repeats the latest."""


def for_visitor(
    conversation_id: int, *, after_seq: int, last_seq: int, hidden_seq: int
) -> list[dict[str, Any]]:
    """Return the translations of a fetch: of messages after ``after_seq``, and of the latest."""
    after = max(min(after_seq, last_seq - TAIL), hidden_seq)
    rows = MessageTranslation.objects.filter(conversation=conversation_id, seq__gt=after)
    return _latest(rows.filter(state=TranslationState.DONE).order_by("made_at"))


def for_desk(
    conversation_id: int, *, after_seq: int, last_seq: int, agent_id: int | None
) -> list[dict[str, Any]]:
    """Return the same for a desk: what is in a language of the reader, and what the visitor reads
    of the agents' messages. Someone without a desk reads the website's language."""
    agent = Agent.objects.get(pk=agent_id) if agent_id is not None else None
    website = Website.objects.get(conversations=conversation_id)
    reads = languages.of_agent(agent.languages if agent else "", website.language)
    after = min(after_seq, last_seq - TAIL)
    rows = MessageTranslation.objects.filter(conversation=conversation_id, seq__gt=after)
    rows = rows.exclude(state=TranslationState.SAME).order_by("made_at")
    return _latest(row for row in rows if row.is_for_visitor or row.language in reads)


def frame(row: MessageTranslation) -> dict[str, Any]:
    """Return a translation as clients receive it (docs/protocol.md)."""
    return {"seq": row.seq, "language": row.language, "text": row.text, "state": row.state}


def _latest(rows: Iterable[MessageTranslation]) -> list[dict[str, Any]]:
    """Return one translation of each message: the last of ``rows``."""
    return [frame(row) for row in {row.seq: row for row in rows}.values()]
