"""Learning questions with their answers from conversations that closed well.

A conversation **closed well** (``closed_well``) if it is closed and its last rating is 4 or 5; or,
without a rating, if it was resolved, or solved and not reopened within its return window.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.search import SearchVector
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value

from accounts.models import Website
from conversations.knowledge import unanswered
from conversations.lifecycle.transitions import Status
from conversations.models import (
    CloseReason,
    Conversation,
    PastAnswer,
    SuggestionSettings,
    Survey,
)
from conversations.suggestions.screening import (
    QUESTION_LIMIT,
    Pair,
    PlainMessage,
    is_safe,
    pairs,
    redact,
)
from conversations.suggestions.vocabulary import vocabulary_of
from core.text import search_languages
from core.text.text_search import spaced

SETTLED = timedelta(minutes=5)  # By then, no transaction with an earlier closure is still open.
AT_ONCE = 500
RESOLVED = [CloseReason.RESOLVED, CloseReason.WINDOW_OVER]
GOOD = 4


def closed_well(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Filter the conversations that closed well."""
    rated = Survey.objects.filter(conversation=OuterRef("pk"), csat__isnull=False)
    last = Subquery(rated.order_by("-answered_at", "-pk").values("csat")[:1])
    return conversations.annotate(last_csat=last).filter(
        Q(last_csat__gte=GOOD) | Q(last_csat=None, close_reason__in=RESOLVED),
        status=Status.CLOSED,
    )


def learn_all(*, at: datetime) -> int:
    """Learn from conversations closed since the last run, website by website; return how many were
    read."""
    return sum(_learn_website(website, at) for website in Website.objects.order_by("pk"))


@transaction.atomic
def _learn_website(website: Website, at: datetime) -> int:
    settings, _made = SuggestionSettings.objects.get_or_create(website=website)
    # Two workers at once would read the same conversations.
    settings = SuggestionSettings.objects.select_for_update().get(pk=settings.pk)
    closed = Conversation.objects.filter(website=website, closed_at__lte=at - SETTLED)
    if settings.learnt_until is not None:
        closed = closed.filter(closed_at__gt=settings.learnt_until)
    some = list(closed.order_by("closed_at").values_list("pk", "closed_at")[:AT_ONCE])
    if not some:
        return 0
    until = some[-1][1]
    if len(some) == AT_ONCE:  # Include all of the last moment: the next run starts after it.
        some = list(closed.filter(closed_at__lte=until).values_list("pk", "closed_at"))
    settings.learnt_until = until
    settings.save(update_fields=["learnt_until"])
    read = Conversation.objects.filter(pk__in=[pk for pk, _closed_at in some])
    if settings.is_on:
        _keep(read, website)
    _note_unanswered(read)
    return len(some)


def _note_unanswered(conversations: QuerySet[Conversation]) -> None:
    """Record what visitors asked agents first, where no article answers it (B24). It does not
    matter how the conversation closed."""
    talked = conversations.filter(first_human_reply_at__isnull=False)
    for conversation in talked.select_related("website").prefetch_related("messages"):
        asked = pairs(_lines(conversation))[:1]
        if asked:
            question = asked[0].question[:QUESTION_LIMIT]
            unanswered.record_of_agent(conversation, question, at=conversation.opened_at)


@transaction.atomic
def relearn(*, conversation_id: int, website_id: int) -> None:
    """Delete what was learnt from a conversation whose survey was answered, and learn again if it
    closed well."""
    website = Website.objects.get(pk=website_id)
    PastAnswer.objects.filter(conversation=conversation_id).delete()
    off = SuggestionSettings.objects.filter(website=website, is_on=False)
    if not off.exists():
        _keep(Conversation.objects.filter(pk=conversation_id), website)


def _keep(conversations: QuerySet[Conversation], website: Website) -> None:
    vocabulary = vocabulary_of(website)
    closed = closed_well(conversations).select_related("visitor__person")
    for conversation in closed.prefetch_related("messages__agent"):
        names = _names(conversation)
        for pair in pairs(_lines(conversation)):
            question = spaced(redact(pair.question, names=names))
            if question and is_safe(pair.answer, names=names, vocabulary=vocabulary):
                _store(conversation, pair, question)


def _lines(conversation: Conversation) -> list[PlainMessage]:
    lines = [
        PlainMessage(message.seq, message.author, message.body, message.attachment_id is None)
        for message in conversation.messages.all()
    ]
    return sorted(lines, key=lambda line: line.seq)


def _names(conversation: Conversation) -> list[str]:
    """Return the names of the people in a conversation."""
    visitor = conversation.visitor
    agents = {m.agent.display_name for m in conversation.messages.all() if m.agent}
    person = [visitor.person.external_id] if visitor.person else []
    return [visitor.name, *person, *sorted(agents)]


def _store(conversation: Conversation, pair: Pair, question: str) -> None:
    language = search_languages.base(conversation.language)
    PastAnswer.objects.update_or_create(
        conversation=conversation,
        seq=pair.seq,
        defaults={
            "website_id": conversation.website_id,
            "language": language,
            "question": question,
            "answer": pair.answer,
            "words": SearchVector(Value(question), config=search_languages.configuration(language)),
        },
    )
