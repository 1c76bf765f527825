"""Translations of messages, where a website wants them and its visitor and agent have no language
in common.

A message is stored and shown as it was written, and never waits for its translation. What is owed
is written with the message (``conversations.messages.statements``); a worker pays it.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language_info

from accounts.models import Agent
from conversations.facts import MessageTranslated, TranslationOwed
from conversations.language_models import calling, languages, prompts, translations, wordings
from conversations.language_models.calling import Request
from conversations.models import (
    Author,
    Conversation,
    LanguageModelSettings,
    Message,
    MessageTranslation,
    Profile,
    Purpose,
    TranslationState,
)
from core.events import bus

BUSY_SECONDS = 60
BUSY_PAUSE = 2
ATTEMPTS = 3
PAUSE = 20
"""After a failure, the next attempt comes so many seconds later, and the last one after twice as
many: a translation that comes later than that helps nobody."""

CAUGHT_UP = 20
"""How many earlier messages are translated for an agent who gets a conversation."""

LONGEST = 6000
"""Longer messages are not translated: most models would cut them."""

MESSAGES = Message.objects.select_related(
    "agent", "conversation__agent", "conversation__website", "conversation__visitor__person"
)


def catch_up(*, conversation_id: int) -> None:
    """Reaction: have the visitor's and the bot's latest messages translated for the agent who has
    got the conversation."""
    spoken = Message.objects.filter(
        conversation=conversation_id, author__in=[Author.VISITOR, Author.BOT]
    )
    latest = spoken.order_by("-seq").values_list("seq", flat=True)[:CAUGHT_UP]
    with transaction.atomic():
        bus.publish(*(TranslationOwed(conversation_id, seq) for seq in sorted(latest)))


def translate(*, conversation_id: int, seq: int, waited: int = 0, failed: int = 0) -> None:
    """Reaction: translate a message for its reader. Repeated after a crash as long as there is no
    translation, and after a failure a few times."""
    message = MESSAGES.filter(conversation=conversation_id, seq=seq).first()
    if message is None:
        return  # Erased meanwhile.
    settings = calling.settings_of(message.conversation, "translates")
    into = into_for_reader(message)
    if settings is None or into is None or _is_there(message, into):
        return
    try:
        text = _translated(message, settings, into) if waited < BUSY_SECONDS else None
    except calling.Busy:
        again = TranslationOwed(conversation_id, seq, waited + BUSY_PAUSE, failed)
        _later(again, seconds=BUSY_PAUSE)
        return
    if text is None and failed + 1 < ATTEMPTS:
        again = TranslationOwed(conversation_id, seq, failed=failed + 1)
        _later(again, seconds=PAUSE * (failed + 1))
        return
    _store(message, into, text)


def into_for_reader(message: Message) -> str | None:
    """Return the language into which a message is translated for the other side, if it is."""
    conversation = message.conversation
    is_agents = message.author == Author.AGENT
    agent = message.agent if is_agents else conversation.agent
    if agent is None or message.author == Author.SYSTEM or not message.body.strip():
        return None
    if is_agents and conversation.inbox_id is not None:
        return None  # It has left by the provider, which takes nothing back.
    theirs = of_visitor(conversation)
    agents = languages.of_agent(agent.languages, conversation.website.language)
    if theirs in agents:
        return None
    return theirs if is_agents else agents[0]


def language_for(conversation: Conversation, agent: Agent) -> str:
    """Return the name of the language into which an agent's replies are translated, as the reader
    of the page calls it; empty if they are not."""
    if conversation.inbox_id is not None:
        return ""
    if calling.settings_of(conversation, "translates") is None:
        return ""
    theirs = of_visitor(conversation)
    if theirs in languages.of_agent(agent.languages, conversation.website.language):
        return ""
    return str(get_language_info(theirs)["name_translated"])


def of_visitor(conversation: Conversation) -> str:
    """Return the language that the visitor of a conversation writes."""
    profile = Profile.objects.filter(visitor=conversation.visitor_id).only("language").first()
    return languages.of_visitor(conversation.language, profile.language if profile else "")


def _is_there(message: Message, into: str) -> bool:
    known = MessageTranslation.objects.filter(conversation=message.conversation_id)
    return known.filter(seq=message.seq, language=into).exists()


def _translated(message: Message, settings: LanguageModelSettings, into: str) -> str | None:
    body = message.body
    if not any(one.isalpha() for one in body):
        return body  # A number or an emoji is the same everywhere.
    if len(body) > LONGEST:
        return None
    # A token is at least a character, whatever the language.
    request = Request(
        Purpose.MESSAGE, prompts.translate_message(body, into), most_tokens=200 + len(body)
    )
    return calling.ask(
        settings,
        message.conversation,
        request,
        at=timezone.now(),
        is_valid=lambda written: wordings.is_translation(body, written),
    )


def _later(fact: TranslationOwed, *, seconds: int) -> None:
    with transaction.atomic():
        bus.publish_later(fact, seconds=seconds)


@transaction.atomic
def _store(message: Message, into: str, text: str | None) -> None:
    if text is None:
        state = TranslationState.FAILED
    elif text.strip() == message.body.strip():
        state = TranslationState.SAME
    else:
        state = TranslationState.DONE
    conversation = message.conversation
    row, is_new = MessageTranslation.objects.get_or_create(
        conversation=conversation,
        seq=message.seq,
        language=into,
        defaults={
            "is_for_visitor": message.author == Author.AGENT,
            "text": text if state == TranslationState.DONE else "",
            "state": state,
            "made_at": timezone.now(),
        },
    )
    if not is_new or state == TranslationState.SAME:
        return
    holder = Conversation.objects.values_list("agent", flat=True).get(pk=conversation.pk)
    bus.publish(
        MessageTranslated(
            conversation_id=conversation.pk,
            public_id=str(conversation.public_id),
            visitor_id=conversation.visitor_id,
            agent_id=holder,
            translation=translations.frame(row),
        )
    )
