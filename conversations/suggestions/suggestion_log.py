"""The suggestion log: what agents were offered for a question, and whether they used it (R185)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Agent
from conversations.facts import SuggestionsAsked, SuggestionsCame
from conversations.lifecycle.transitions import Status
from conversations.messages.validators import BODY_LIMIT
from conversations.models import (
    Author,
    Conversation,
    Message,
    SuggestionOffer,
    SuggestionSettings,
    SuggestionUse,
)
from conversations.suggestions import remote
from conversations.suggestions.finding import MOST, Asked, suggest
from core.events import bus

LAST_WORDS = 12  # messages that are searched for the question


def offer(conversation: Conversation, agent: Agent, *, at: datetime) -> SuggestionOffer | None:
    """Return suggestions for the visitor's last question, or ``None`` if there is none.

    For the same question it returns the same ones, with those that a provider has added since.
    """
    if conversation.agent_id != agent.pk or conversation.status != Status.ACTIVE:
        return None
    settings = SuggestionSettings.objects.filter(website=conversation.website_id).first()
    if settings is not None and not settings.is_on:
        return None
    question, seq = last_question(conversation)
    if not question:
        return None
    same = SuggestionOffer.objects.filter(conversation=conversation, agent=agent, seq=seq)
    known = same.first()
    if known is not None:
        return known
    suggestions = [one.plain() for one in suggest(Asked(conversation, agent, question))]
    has_provider = settings is not None and bool(settings.provider_url)
    if not suggestions and not has_provider:
        return None
    # Two tabs of the agent may ask at once: both are shown the same offer.
    offered, is_new = SuggestionOffer.objects.get_or_create(
        conversation=conversation,
        agent=agent,
        seq=seq,
        defaults={"suggestions": suggestions, "offered_at": at},
    )
    if is_new and has_provider:
        bus.publish(SuggestionsAsked(offer_id=offered.pk))
    return offered


def last_question(conversation: Conversation) -> tuple[str, int]:
    """Return the visitor's text since the last reply, and the number of its last message."""
    last = Message.objects.filter(conversation=conversation).order_by("-seq")[:LAST_WORDS]
    asked: list[Message] = []
    for message in last:
        if message.author in {Author.AGENT, Author.BOT}:
            break
        if message.author == Author.VISITOR and message.body:
            asked.append(message)
    text = "\n".join(message.body for message in reversed(asked))
    return text[-BODY_LIMIT:], asked[0].seq if asked else 0


def ask_provider(offer_id: int) -> bool:
    """Add the suggestions of the website's provider; return whether there were any. For workers."""
    offered = (
        SuggestionOffer.objects.filter(pk=offer_id, outcome="")
        .select_related("conversation__website__suggestions", "conversation__visitor", "agent")
        .first()
    )
    if offered is None:
        return False
    conversation = offered.conversation
    question, seq = last_question(conversation)
    if seq != offered.seq:
        return False  # Answered meanwhile, or there is a new question.
    asked = Asked(conversation, offered.agent, question)
    suggested = remote.provider_of(conversation.website.suggestions)(asked)
    if not suggested:
        return False
    with transaction.atomic():
        # Read again under a lock, because the provider took seconds.
        offered = SuggestionOffer.objects.select_for_update().get(pk=offer_id)
        offered.suggestions = [*(one.plain() for one in suggested), *offered.suggestions][:MOST]
        offered.save(update_fields=["suggestions"])
        bus.publish(SuggestionsCame(conversation_id=conversation.pk, agent_id=offered.agent_id))
    return True


def decide(
    *,
    conversation_id: int,
    agent_id: int,
    seq: int,
    chosen: int | None,
    is_edited: bool,
    at: datetime,
) -> bool:
    """Record the outcome of an offer, once; return whether it was still open."""
    offers = SuggestionOffer.objects.filter(
        conversation=conversation_id, agent=agent_id, seq=seq, outcome=""
    )
    outcome, source = SuggestionUse.IGNORED, ""
    offered = offers.first()
    if offered is None or not offered.suggestions:
        return False
    if chosen is not None:
        if not 0 <= chosen < len(offered.suggestions):
            return False
        source = offered.suggestions[chosen]["source"]
        outcome = SuggestionUse.EDITED if is_edited else SuggestionUse.USED
    return bool(offers.update(outcome=outcome, source=source, decided_at=at))
