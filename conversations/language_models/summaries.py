"""Summaries for the agent who takes over, after an escalation or a transfer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.facts import SummaryMade
from conversations.language_models import calling, prompts, wordings
from conversations.language_models.calling import Request
from conversations.lifecycle.transitions import Verb
from conversations.models import (
    Author,
    Conversation,
    ConversationSummary,
    LanguageModelSettings,
    Message,
    Purpose,
)
from core.events import bus

AT_VERBS = frozenset({Verb.ESCALATE, Verb.TRANSFER_TO_GROUP, Verb.TRANSFER_TO_AGENT})
FEWEST = 4  # Fewer messages are read as fast as their summary.
LATEST = 60
TEXT_LIMIT = 600


def is_on(website_id: int) -> bool:
    return LanguageModelSettings.objects.filter(website=website_id, summarises=True).exists()


def make(conversation_id: int, *, at: datetime) -> bool:
    """Summarise a conversation as far as it goes now; return whether there is a new summary. Raise
    ``calling.Busy``."""
    conversations = Conversation.objects.select_related("website", "visitor__person")
    conversation = conversations.get(pk=conversation_id)
    settings = calling.settings_of(conversation, "summarises")
    if settings is None:
        return False
    spoken = Message.objects.filter(conversation=conversation).exclude(author=Author.SYSTEM)
    last = list(spoken.order_by("-seq")[:LATEST])
    known = ConversationSummary.objects.filter(conversation=conversation)
    if len(last) < FEWEST or known.filter(to_seq=last[0].seq).exists():
        return False
    text = calling.ask(
        settings,
        conversation,
        Request(
            Purpose.SUMMARY,
            prompts.summarise([_line(one) for one in reversed(last)], settings.website.language),
            most_tokens=400,
        ),
        at=at,
        is_valid=lambda written: bool(wordings.summary_of(written)),
    )
    if text is None:
        return False
    with transaction.atomic():
        _summary, is_new = ConversationSummary.objects.get_or_create(
            conversation=conversation,
            to_seq=last[0].seq,
            defaults={"text": wordings.summary_of(text), "made_at": at},
        )
        holder = Conversation.objects.values_list("agent", flat=True).get(pk=conversation_id)
        bus.publish(SummaryMade(conversation_id=conversation_id, agent_id=holder))
    return is_new


def of(conversation_id: int) -> ConversationSummary | None:
    """Return the latest summary of a conversation."""
    return (
        ConversationSummary.objects.filter(conversation=conversation_id).order_by("-to_seq").first()
    )


def _line(message: Message) -> str:
    who = {Author.VISITOR: "Customer", Author.BOT: "Bot"}.get(Author(message.author), "Agent")
    return f"{who}: {message.body[:TEXT_LIMIT]}"
