"""Texts that agents ask for at the composer: drafts with sources, other wordings, translations.

An agent asks, a worker writes, the desk is told. Nothing here sends a message: the agent does.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Agent
from conversations import page_links
from conversations.facts import WritingAsked, WritingCame
from conversations.knowledge import finding
from conversations.language_models import calling, citations, prompts, wordings
from conversations.language_models.calling import Request
from conversations.lifecycle.transitions import Status
from conversations.messages.validators import BODY_LIMIT
from conversations.models import (
    Conversation,
    LanguageModelSettings,
    Purpose,
    WritingAid,
    WritingKind,
    WritingState,
)
from conversations.suggestions.suggestion_log import last_question
from core.events import bus

BUSY_SECONDS = 10
DECISIONS = (WritingState.USED, WritingState.EDITED, WritingState.DROPPED)


def is_on(website_id: int) -> bool:
    return LanguageModelSettings.objects.filter(website=website_id, helps_agents=True).exists()


@transaction.atomic
def ask(
    conversation: Conversation, agent: Agent, *, kind: WritingKind, text: str, at: datetime
) -> WritingAid | None:
    """Ask for a text, for the agent who has the conversation; ``None`` if that is not possible."""
    is_mine = conversation.agent_id == agent.pk and conversation.status == Status.ACTIVE
    needs_text = kind != WritingKind.DRAFT
    if not is_mine or not is_on(conversation.website_id) or (needs_text and not text.strip()):
        return None
    aid = WritingAid.objects.create(
        conversation=conversation,
        agent=agent,
        kind=kind,
        given=text[:BODY_LIMIT] if needs_text else "",
        asked_at=at,
    )
    bus.publish(WritingAsked(aid_id=aid.pk))
    return aid


def write(*, aid_id: int, waited: int = 0) -> None:
    """Reaction: have the text written; repeated after a crash as long as it is not there."""
    aids = WritingAid.objects.select_related("conversation__visitor__person")
    aid = aids.filter(pk=aid_id, state=WritingState.PENDING).first()
    if aid is None:
        return
    settings = calling.settings_of(aid.conversation, "helps_agents")
    text, sources = "", list[dict[str, str]]()
    try:
        if settings is not None and waited < BUSY_SECONDS:
            text, sources = _written(aid, settings, at=timezone.now())
    except calling.Busy:
        with transaction.atomic():
            bus.publish_later(WritingAsked(aid_id=aid.pk, waited=waited + 1), seconds=1)
        return
    with transaction.atomic():
        state = WritingState.READY if text else WritingState.FAILED
        pending = WritingAid.objects.filter(pk=aid.pk, state=WritingState.PENDING)
        # What the agent had typed has served its purpose, and is not stored any longer.
        if pending.update(text=text, sources=sources, state=state, given=""):
            bus.publish(WritingCame(conversation_id=aid.conversation_id, agent_id=aid.agent_id))


def decide(aid_id: int, *, agent: Agent, state: WritingState, at: datetime) -> bool:
    """Record what became of a text, once; return whether it was still open."""
    assert state in DECISIONS
    mine = WritingAid.objects.filter(pk=aid_id, agent=agent, state=WritingState.READY)
    return bool(mine.update(state=state, decided_at=at))


def _written(
    aid: WritingAid, settings: LanguageModelSettings, *, at: datetime
) -> tuple[str, list[dict[str, str]]]:
    """Return the text and its sources; empty if there is none."""
    conversation = aid.conversation
    if aid.kind == WritingKind.DRAFT:
        return _drafted(conversation, settings, at=at)
    if aid.kind == WritingKind.TRANSLATE:
        turns = prompts.translate(aid.given, conversation.language)
        request = Request(Purpose.TRANSLATE, turns, most_tokens=1500)
    else:
        turns = prompts.rewrite(aid.given, aid.kind)
        request = Request(Purpose.REWRITE, turns, most_tokens=1500)
    text = calling.ask(
        settings,
        conversation,
        request,
        at=at,
        is_valid=lambda written: wordings.is_rewording(aid.given, written),
    )
    return text or "", []


def _drafted(
    conversation: Conversation, settings: LanguageModelSettings, *, at: datetime
) -> tuple[str, list[dict[str, str]]]:
    """Return a reply from public articles, each sentence proven, and the articles."""
    question, _seq = last_question(conversation)
    website = conversation.website
    passages = finding.passages(website, question, conversation.language)
    if not passages:
        return "", []
    texts = [passage.text for passage in passages]
    written = calling.ask(
        settings,
        conversation,
        Request(Purpose.DRAFT, prompts.answer(question, texts, conversation.language)),
        at=at,
        is_valid=lambda answer: citations.check(answer, texts) is not None,
    )
    sentences = citations.check(written, texts) if written else None
    if sentences is None:
        return "", []
    cited = [passages[number - 1].article for one in sentences for number in one.sources]
    sources = [
        {
            "title": article.name,
            "url": page_links.ARTICLE.url(website.key, article.pk, article.slug),
        }
        for article in dict.fromkeys(cited)
    ]
    return " ".join(sentence.text for sentence in sentences), sources
