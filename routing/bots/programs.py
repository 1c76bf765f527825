"""Programs that decide what a bot says: each event of a conversation is sent to their address, and
their answer is carried out (docs/bots.md).

One request of a conversation is under way at a time, so their order is kept. A request is made
between two transactions: the first reserves the run for it, the second stores all that follows
from the answer. A killed worker leaves a reservation that expires; the event is then sent again
with the same id, which is derived from what happened.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from conversations.lifecycle import deadlines, verbs
from conversations.lifecycle.actors import BOT
from conversations.lifecycle.transitions import DeadlineKind, Refused, Status
from conversations.models import Author, Conversation, Message
from core.db.retry import retried
from core.events import bus
from routing import changes
from routing.actions import escalation
from routing.bots import contract, performing, program_calls
from routing.bots.answers import has_any
from routing.bots.circumstances import rule_named
from routing.bots.contract import EventType
from routing.bots.people_words import PERSON_WORDS
from routing.bots.program_calls import Answered, Request
from routing.facts import BotPaused, ProgramOwesAnswer
from routing.models import Bot, BotEndpoint, Fault, ProgramRun

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # requests for one event
FAILURES = 5  # events in a row without an answer, after which a bot is paused
RESERVED = timedelta(seconds=program_calls.SECONDS + 5)
SETTLING = timedelta(seconds=30)
"""A Messenger that connects so soon after the first message has not been away."""
HOPELESS = {Fault.FORBIDDEN, Fault.SECRET, Fault.REDIRECT}
"""Faults that last: the event is not sent again."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A request to make for a conversation. ``busy_until`` identifies the reservation."""

    request: Request
    seq: int
    busy_until: datetime


@dataclass(frozen=True, slots=True)
class Passing:
    """An escalation that is owed."""

    owed: dict[str, Any]


def deliver(*, conversation_id: int) -> None:
    """Reaction: send the program what it has not answered yet, in order, and do what it says.

    Does nothing if another process does so at the moment, or the bot no longer has the
    conversation.
    """
    while work := _next(conversation_id, at=timezone.now()):
        if isinstance(work, Passing):
            _pass_on(conversation_id, work.owed)
            return
        answered = program_calls.send(work.request, at=timezone.now())
        _settle(conversation_id, work, answered, at=timezone.now())


@retried
def _next(conversation_id: int, *, at: datetime) -> Posting | Passing | None:
    """Reserve the run for its next request and return it, or the escalation that is owed."""
    conversation = verbs.lock(conversation_id)
    endpoint = endpoint_of(conversation)
    if conversation.status != Status.BOT or endpoint is None:
        return None
    run = _run_of(conversation, endpoint.bot, at=at)
    if any(moment is not None and moment > at for moment in (run.busy_until, run.resume_at)):
        return None
    if endpoint.bot.paused_at is not None and not run.owed:
        run.owed = {"fault": Fault.PAUSED.value}
    if run.rest and not run.owed:
        performing.perform(run, conversation, run.rest, at=at)
    posting = None if run.owed else _posting(run, conversation, endpoint, at=at)
    run.save()
    return Passing(run.owed) if run.owed else posting


def endpoint_of(conversation: Conversation) -> BotEndpoint | None:
    """Return the address of the program that answers in a conversation, if there is one."""
    rule = conversation.rule
    if rule is None or rule.bot_id is None:
        return None
    found = BotEndpoint.objects.select_related("bot__website").filter(
        bot=rule.bot_id, bot__kind="program"
    )
    return found.first()


def _run_of(conversation: Conversation, bot: Bot, *, at: datetime) -> ProgramRun:
    found, _is_new = ProgramRun.objects.get_or_create(
        conversation=conversation, defaults={"bot": bot, "began_at": at}
    )
    return found


def _posting(
    run: ProgramRun, conversation: Conversation, endpoint: BotEndpoint, *, at: datetime
) -> Posting | None:
    """Reserve the run for the next event; None if the program has answered everything."""
    if conversation.status != Status.BOT or run.rest:
        return None
    news = conversation.messages.filter(author=Author.VISITOR, seq__gt=run.seen_seq)
    message = news.select_related("attachment").order_by("seq").first()
    if message is None and run.returned_at is None:
        return None
    offered = _offered_before(message) if message else []
    if message is not None and _asks_for_person(message, offered):
        run.seen_seq, run.owed = message.seq, {"rule": ""}
        return None
    run.busy_until = at + RESERVED
    if message is not None and run.attempts == 0:
        _limit(conversation, message.created_at + timedelta(seconds=endpoint.answer_seconds))
    happened = f"message {message.seq}" if message else f"returned {run.returned_at}"
    request = Request(
        id=f"evt_{uuid.uuid5(conversation.public_id, happened).hex}",
        url=endpoint.url,
        secret=endpoint.secret,
        event=_event(run, conversation, endpoint.bot, message, offered, at=at),
        seconds=program_calls.SECONDS,
    )
    return Posting(request, message.seq if message else run.seen_seq, run.busy_until)


def _asks_for_person(message: Message, offered: list[str]) -> bool:
    """Return whether a visitor asks for a person. A choice may be called "Talk to an agent", and is
    for the program to understand."""
    words = [word for words in PERSON_WORDS.values() for word in words]
    return message.body not in offered and has_any(message.body, words)


def _limit(conversation: Conversation, until: datetime) -> None:
    """Let people take over at this moment if there is no answer."""
    conversation.deadline_at = until
    conversation.deadline_kind = DeadlineKind.BOT_SILENCE
    conversation.save(update_fields=["deadline_at", "deadline_kind"])


def _event(
    run: ProgramRun,
    conversation: Conversation,
    bot: Bot,
    message: Message | None,
    offered: list[str],
    *,
    at: datetime,
) -> dict[str, Any]:
    visitor = conversation.visitor
    happened = EventType.RETURNED
    if message is not None:
        happened = contract.type_of(
            is_first=run.seen_seq == 0,
            body=message.body,
            has_file=message.attachment is not None,
            choices=offered,
        )
    return {
        "type": happened.value,
        "timestamp": (message.created_at if message else at).isoformat(),
        "data": {
            "website": bot.website.key,
            "bot": bot.name,
            "conversation": {
                "number": conversation.pk,
                "id": str(conversation.public_id),
                "language": conversation.language,
                "page": conversation.page_url,
            },
            "visitor": {
                "id": str(visitor.public_id),
                "name": visitor.name,
                "customer": visitor.person.external_id if visitor.person else None,
            },
            "values": run.values,
            "message": message and _as_json(message),
        },
    }


def _offered_before(message: Message) -> list[str]:
    """Return the choices of the bot's last message before this one."""
    before = Message.objects.filter(
        conversation=message.conversation_id, author=Author.BOT, seq__lt=message.seq
    )
    last = before.order_by("-seq").first()
    return list(last.offer["choices"]) if last is not None and last.offer else []


def _as_json(message: Message) -> dict[str, Any]:
    carried = message.attachment
    return {
        "seq": message.seq,
        "id": str(message.client_id),
        "body": message.body,
        "at": message.created_at.isoformat(),
        "attachment": carried
        and {"name": carried.name, "type": carried.content_type, "size": carried.size},
    }


@retried
def _settle(conversation_id: int, posting: Posting, answered: Answered, *, at: datetime) -> None:
    """Store what follows from an answer: actions, another attempt, or an escalation."""
    conversation = verbs.lock(conversation_id)
    run = ProgramRun.objects.get(conversation=conversation_id)
    if run.busy_until != posting.busy_until:
        return  # The reservation expired, and another process sent the event again.
    run.busy_until = None
    if answered.fault is not None:
        logger.warning("bot %s, conversation %s: %s", run.bot_id, conversation_id, answered.detail)
        run.last_fault = answered.fault.value
    if conversation.status != Status.BOT:
        _note_late(run, answered, at=at)
    elif answered.fault is None:
        _accept(run, posting)
        performing.perform(run, conversation, list(answered.actions), at=at)
    else:
        _put_off(run, answered.fault, at=at)
    run.save()


def _accept(run: ProgramRun, posting: Posting) -> None:
    if posting.seq == run.seen_seq:
        run.returned_at = None
    run.seen_seq, run.attempts, run.resume_at, run.last_fault = posting.seq, 0, None, ""
    BotEndpoint.objects.filter(bot=run.bot_id, failures__gt=0).update(failures=0)


def _put_off(run: ProgramRun, fault: Fault, *, at: datetime) -> None:
    """Try again soon, or give up: then people take over, and the bot may be paused."""
    run.attempts += 1
    if run.attempts < ATTEMPTS and fault not in HOPELESS:
        seconds = 2 ** (run.attempts - 1)
        run.resume_at = at + timedelta(seconds=seconds)
        bus.publish_later(ProgramOwesAnswer(conversation_id=run.conversation_id), seconds=seconds)
        return
    run.owed = {"fault": fault.value}
    _count_failure(run.bot_id, at=at)


def _note_late(run: ProgramRun, answered: Answered, *, at: datetime) -> None:
    """People have the conversation already: refuse what the program wants, and log it."""
    if answered.fault is not None:
        _count_failure(run.bot_id, at=at)
    elif answered.actions:
        logger.warning(
            "conversation %s: the bot's answer came too late and was refused", run.conversation_id
        )
        run.late_answers += 1


def _count_failure(bot_id: int, *, at: datetime) -> None:
    BotEndpoint.objects.filter(bot=bot_id).update(failures=F("failures") + 1)
    if BotEndpoint.objects.filter(bot=bot_id, failures__gte=FAILURES).exists():
        pause(bot_id, at=at)


def pause(bot_id: int, *, at: datetime) -> None:
    """Pause a bot: its rules lead to people, and the person responsible is informed once."""
    bot = Bot.objects.select_related("website").get(pk=bot_id)
    if Bot.objects.filter(pk=bot_id, paused_at=None).update(paused_at=at):
        changes.rule_changed(bot.website_id)
        bus.publish(BotPaused(bot_id=bot_id))


@retried
def resume(bot_id: int) -> None:
    """Let a paused bot answer again."""
    bot = Bot.objects.select_for_update(no_key=True).get(pk=bot_id)
    bot.paused_at = None
    bot.save(update_fields=["paused_at"])
    BotEndpoint.objects.filter(bot=bot_id).update(failures=0)
    changes.rule_changed(bot.website_id)


def _pass_on(conversation_id: int, owed: dict[str, Any]) -> None:
    """Pass a conversation on to people. Without room the visitor is told, and people are asked
    again each minute and with each message."""
    conversation = Conversation.objects.select_related("rule").get(pk=conversation_id)
    fault = owed.get("fault", "")
    try:
        is_taken = escalation.escalate(
            conversation_id,
            actor=BOT,
            at=timezone.now(),
            rule=rule_named(conversation, owed.get("rule", "")),
            text=owed.get("text", ""),
            reason=fault,
        )
    except Refused:
        return  # Somebody else took it, or it has ended.
    if not is_taken:
        _wait_for_room(conversation_id, at=timezone.now())


@retried
def _wait_for_room(conversation_id: int, *, at: datetime) -> None:
    conversation = verbs.lock(conversation_id)
    if conversation.status == Status.BOT:
        deadlines.owe_answer(conversation, at=at)


@retried
def visitor_returned(visitor_ids: list[int], *, at: datetime) -> None:
    """Inform programs that visitors are back whose conversation they have."""
    runs = ProgramRun.objects.select_for_update(no_key=True).filter(
        conversation__visitor__in=visitor_ids,
        conversation__status=Status.BOT,
        began_at__lt=at - SETTLING,
        returned_at=None,
    )
    for run in runs:
        run.returned_at = at
        run.save(update_fields=["returned_at"])
        bus.publish(ProgramOwesAnswer(conversation_id=run.conversation_id))
