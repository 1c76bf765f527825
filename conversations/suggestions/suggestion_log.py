"""What is suggested to an agent for the visitor's last question, and what became of it (R185)."""

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
    Outcome,
    SuggestionOffer,
    SuggestionSettings,
)
from conversations.suggestions import remote
from conversations.suggestions.finding import MOST, Asked, suggest
from core.events import bus

LAST_WORDS = 12  # Messages that are looked at for the question.


def offer(conversation: Conversation, agent: Agent, *, at: datetime) -> SuggestionOffer | None:
    """Suggestions for what the visitor asked last; ``None`` where there is nothing to answer.

    Asked again for the same question it gives the same ones, and what a provider has added since.
    """
    if conversation.agent_id != agent.pk or conversation.status != Status.ACTIVE:
        return None
    settings = SuggestionSettings.objects.filter(website=conversation.website_id).first()
    if settings is not None and not settings.is_on:
        return None
    question, seq = _last_question(conversation)
    if not question:
        return None
    same = SuggestionOffer.objects.filter(conversation=conversation, agent=agent, seq=seq)
    known = same.first()
    if known is not None:
        return known
    found = [one.plain() for one in suggest(Asked(conversation, agent, question))]
    has_provider = settings is not None and bool(settings.provider_url)
    if not found and not has_provider:
        return None
    made, is_new = SuggestionOffer.objects.get_or_create(
        conversation=conversation,
        agent=agent,
        seq=seq,
        defaults={"suggestions": found, "offered_at": at},
    )
    if is_new and has_provider:
        bus.publish(SuggestionsAsked(offer_id=made.pk))
    return made


def _last_question(conversation: Conversation) -> tuple[str, int]:
    """The visitor's words since anybody answered, and the number of the last of them."""
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
    """In a worker: add what the website's provider suggests; whether it said anything."""
    made = (
        SuggestionOffer.objects.filter(pk=offer_id, outcome="")
        .select_related("conversation__website__suggestions", "conversation__visitor", "agent")
        .first()
    )
    if made is None:
        return False
    conversation = made.conversation
    question, seq = _last_question(conversation)
    if seq != made.seq:
        return False  # Asked anew, or answered, meanwhile.
    asked = Asked(conversation, made.agent, question)
    said = remote.provider_of(conversation.website.suggestions)(asked)
    if not said:
        return False
    with transaction.atomic():
        made = SuggestionOffer.objects.select_for_update().get(pk=offer_id)
        made.suggestions = [*(one.plain() for one in said), *made.suggestions][:MOST]
        made.save(update_fields=["suggestions"])
        bus.publish(SuggestionsCame(conversation_id=conversation.pk, agent_id=made.agent_id))
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
    """Record once what became of an offer: whether it was still open."""
    offers = SuggestionOffer.objects.filter(
        conversation=conversation_id, agent=agent_id, seq=seq, outcome=""
    )
    outcome, source = Outcome.IGNORED, ""
    made = offers.first()
    if made is None or not made.suggestions:
        return False
    if chosen is not None:
        if not 0 <= chosen < len(made.suggestions):
            return False
        source = made.suggestions[chosen]["source"]
        outcome = Outcome.EDITED if is_edited else Outcome.USED
    return bool(offers.update(outcome=outcome, source=source, decided_at=at))
