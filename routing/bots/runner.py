"""The runner: it plays scenarios in conversations, each turn in one transaction.

A turn reads what the visitor has written since the last one, asks the engine, and writes messages,
state and debts together under the row lock of the conversation. A killed process leaves either
nothing or the whole turn. What a turn owes besides (people, an HTTP call) is a fact, whose reaction
the outbox repeats until it is done; a later turn makes it obsolete.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from conversations.knowledge import unanswered
from conversations.language_models import calling
from conversations.lifecycle import deadlines, verbs
from conversations.lifecycle.actors import BOT
from conversations.lifecycle.transitions import Refused, Status
from conversations.models import Author, CloseReason, Conversation
from core.db.retry import retried
from core.events import bus
from routing.actions import escalation
from routing.bots import http_calls, knowledge_answers, performing, plays
from routing.bots.circumstances import facts_of, rule_named
from routing.bots.engine import advance
from routing.bots.plays import Began, Called, Event, Facts, Found, NoRoom, Said, State, Waits
from routing.bots.scenario import Scenario
from routing.facts import BotAskedPeople, BotCalled, ProgramOwesAnswer
from routing.models import Bot, BotKind, BotRun, BotVersion

BUSY_SECONDS = 8
"""How long an answer waits for a free place at the language model; then an article is quoted."""


def plan_of(version: BotVersion) -> Scenario:
    """Return a version's scenario with the languages in which its texts are looked for."""
    return Scenario(version.scenario, languages_of(version.bot))


def languages_of(bot: Bot) -> tuple[str, ...]:
    """Return the languages of a bot's website, its own first."""
    codes = [code for code, _name in settings.LANGUAGES]
    return tuple(dict.fromkeys([bot.website.language, *codes]))


def answer_visitor(*, conversation_id: int) -> None:
    """Reaction: begin the scenario if this has not happened yet, and answer what the visitor has
    written since. Does nothing if the bot has answered already or no longer has the conversation.
    """
    _answer(conversation_id, at=timezone.now())


def begin(*, conversation_id: int) -> None:
    """Reaction: say the first words, right after the visitor's first message was stored."""
    _answer(conversation_id, at=timezone.now())


@retried
def _answer(conversation_id: int, *, at: datetime) -> None:
    conversation = verbs.lock(conversation_id)
    if conversation.status != Status.BOT:
        return
    if _is_of_program(conversation):
        bus.publish(ProgramOwesAnswer(conversation_id=conversation_id))
        return
    run = _run_of(conversation) or _begin(conversation, at=at)
    if run is None:
        deadlines.owe_answer(conversation, at=at)  # People take over when this ends.
        return
    plan = plan_of(run.version)
    news = conversation.messages.filter(author=Author.VISITOR, seq__gt=run.seen_seq)
    for seq, body in list(news.order_by("seq").values_list("seq", "body")):
        run.seen_seq = seq
        _turn(run, conversation, plan, Said(facts_of(conversation, plan, at=at), body), at=at)
        if conversation.status != Status.BOT:
            return


def _is_of_program(conversation: Conversation) -> bool:
    bot = conversation.rule.bot if conversation.rule else None
    return bot is not None and bot.kind == BotKind.PROGRAM


def _begin(conversation: Conversation, *, at: datetime) -> BotRun | None:
    """Begin the scenario that is published now; None if the rule has lost its bot meanwhile."""
    bot = conversation.rule.bot if conversation.rule else None
    if bot is None or bot.published is None:
        return None
    first = conversation.messages.filter(author=Author.VISITOR).order_by("seq").first()
    run = BotRun(
        conversation=conversation,
        version=bot.published,
        state=State().as_json(),
        seen_seq=first.seq if first else 0,
        began_at=at,
    )
    plan = plan_of(run.version)
    text = first.body if first else ""
    _turn(run, conversation, plan, Began(facts_of(conversation, plan, at=at), text), at=at)
    return run


def _run_of(conversation: Conversation) -> BotRun | None:
    """Return the run of a locked conversation as long as the bot has it."""
    if conversation.status != Status.BOT:
        return None
    runs = BotRun.objects.select_related("version__bot__website")
    return runs.filter(conversation=conversation).first()


def _turn(
    run: BotRun, conversation: Conversation, plan: Scenario, event: Event, *, at: datetime
) -> None:
    """Play one event and store all that follows from it."""
    state, actions = advance(plan, State.of_json(run.state), event)
    run.state = state.as_json()
    if isinstance(event, Said) and state.waits == Waits.CALL and not actions:
        run.save()  # The answer to the call is still awaited: it goes on with this turn.
        return
    run.turns, run.owed = run.turns + 1, {}
    for number, action in enumerate(actions):
        _do(action, number, run, conversation, at=at)
    run.save()
    if state.waits in (Waits.ROOM, Waits.CALL) and conversation.status == Status.BOT:
        # Somebody owes the visitor an answer, whoever wrote last.
        conversation.refresh_from_db()
        deadlines.owe_answer(conversation, at=at)


def _do(
    action: plays.Action, number: int, run: BotRun, conversation: Conversation, *, at: datetime
) -> None:
    match action:
        case plays.Enter():
            run.trail.append(action.step)
        case plays.Send():
            performing.say(
                conversation,
                text=action.text,
                choices=action.choices,
                cards=action.cards,
                # The same for the same turn, so that a repeat after a crash stores nothing twice.
                client_id=uuid.uuid5(conversation.public_id, f"{run.turns}/{number}"),
                at=at,
            )
        case plays.Require():
            performing.require(conversation, action.skills)
        case plays.Escalate():
            run.owed = {"rule": action.rule, "text": action.text, "tells": action.tells}
            run.owed["summary"] = action.summary
            bus.publish(BotAskedPeople(conversation_id=conversation.pk, turn=run.turns))
        case plays.Call():
            run.owed = http_calls.as_json(action)
            bus.publish(BotCalled(conversation_id=conversation.pk, turn=run.turns))
        case plays.AskKnowledge():
            run.owed = {"question": action.question}
            bus.publish(BotCalled(conversation_id=conversation.pk, turn=run.turns))
        case plays.Close():
            verbs.close(conversation.pk, reason=CloseReason.BOT_ENDED, actor=BOT, at=at)
            conversation.refresh_from_db(fields=["status"])  # The caller reads it.


def pass_on(*, conversation_id: int, turn: int) -> None:
    """Reaction: pass a conversation on to people, as the bot asked. If there is no room, the
    scenario goes on; people are asked again later where it has no way of its own."""
    run = BotRun.objects.filter(conversation=conversation_id, turns=turn).first()
    if run is None or "rule" not in run.owed:
        return
    conversation = Conversation.objects.select_related("rule").get(pk=conversation_id)
    try:
        is_taken = escalation.escalate(
            conversation_id,
            actor=BOT,
            at=timezone.now(),
            rule=rule_named(conversation, run.owed["rule"]),
            text=run.owed["text"],
            tells=run.owed["tells"],
        )
    except Refused:
        return  # Somebody else took it, or it has ended.
    if not is_taken:
        _resume(conversation_id, turn, lambda facts, _step: NoRoom(facts), at=timezone.now())


def call(*, conversation_id: int, turn: int, waited: int = 0) -> None:
    """Reaction: make the HTTP call of a bot, or ask the knowledge, and go on with the answer.
    Repeated after a crash, so the called server may see it twice."""
    runs = BotRun.objects.select_related("conversation__website", "conversation__visitor__person")
    run = runs.filter(conversation=conversation_id, turns=turn).first()
    if run is None:
        return
    if "url" in run.owed:
        values = http_calls.make(run.owed).values
        _resume(
            conversation_id,
            turn,
            lambda facts, step: Called(facts, step, values),
            at=timezone.now(),
        )
    elif "question" in run.owed:
        _ask_knowledge(run, waited)


def _ask_knowledge(run: BotRun, waited: int) -> None:
    talk, question, turn = run.conversation, run.owed["question"], run.turns
    try:
        answer = None
        if waited < BUSY_SECONDS:
            answer = knowledge_answers.phrased(talk, question, at=timezone.now())
    except calling.Busy:
        again = BotCalled(conversation_id=talk.pk, turn=turn, waited=waited + 1)
        with transaction.atomic():
            # Not waited for here: the worker is free for others meanwhile.
            bus.publish_later(again, seconds=1)
        return
    quote = knowledge_answers.quote_for(talk.website, question, talk.language)
    if answer is None and quote is None:
        unanswered.record(talk, question, turn=turn, at=timezone.now())
    _resume(talk.pk, turn, lambda facts, step: Found(facts, step, quote, answer), at=timezone.now())


@retried
def _resume(
    conversation_id: int, turn: int, event_of: Callable[[Facts, str], Event], *, at: datetime
) -> None:
    """Go on after a call, an answer of the knowledge or an escalation without room, unless a later
    turn has done so. ``event_of`` makes the event from the facts of now and the step's id."""
    conversation = verbs.lock(conversation_id)
    run = _run_of(conversation)
    if run is None or run.turns != turn:
        return
    plan = plan_of(run.version)
    facts = facts_of(conversation, plan, at=at)
    _turn(run, conversation, plan, event_of(facts, run.state["step"]), at=at)
