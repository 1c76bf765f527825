"""From a bot to people: the way to the queues of its rule, and what happens when the bot falls
silent (C6, R33-R36).
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Channel, Group
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import SYSTEM, Actor
from conversations.lifecycle.transitions import DeadlineKind, Refused, Status, Verb
from conversations.models import Author, Conversation
from core.db.retry import retried
from routing import engagement, opening
from routing.models import BotRun, DistributionRule, Fault, ProgramRun, RuleStep
from routing.moments import at_moment


@retried
def escalate(
    conversation_id: int,
    *,
    actor: Actor = SYSTEM,
    at: datetime,
    skills: Collection[int] | None = None,
    rule: DistributionRule | None = None,
    text: str = "",
    tells: bool = True,
    reason: str = "",
) -> bool:
    """Pass a conversation on to people; return False if there is no room.

    It is a new entry, so the places count (C16). ``skills`` replace those required before, ``rule``
    the conversation's rule, ``text`` the bot's message. Without room it stays with the bot, and the
    visitor is informed if ``tells``. ``reason`` is a program's fault.
    """
    asked = Conversation.objects.select_related("rule__bot").get(pk=conversation_id)
    rule = rule or asked.rule
    if asked.status != Status.BOT or rule is None:
        raise Refused(Verb.ESCALATE, Status(asked.status))
    channel = Channel(asked.channel)
    required = asked.required_skills if skills is None else list(skills)
    steps = engagement.steps_of(rule, lock=True)
    answer = engagement.decide(
        rule, steps, channel, at=at, skills=required, opened_from=asked.opened_from
    )
    step = next((step for step in steps if answer.entry and step.pk == answer.entry.step_id), None)
    desk = None
    if step is not None and answer.entry is not None and not answer.entry.takes_place:
        desk = engagement.claim_desk(step, channel, required, at=at)
        if desk is None:
            step = None
    if step is None:
        if tells:
            _say_no_room(verbs.lock(conversation_id), steps, at=at)
        return False
    conversation = verbs.escalate(
        conversation_id,
        group_id=step.group_id,
        queue_id=step.pk,
        actor=actor,
        at=at,
        places=answer.entry.limit if answer.entry and desk is None else None,
        required_skills=required,
        is_asynchronous=answer.is_asynchronous,
        reason=reason,
        **_of_other_rule(asked, rule),
    )
    if reason:
        ProgramRun.objects.filter(conversation=conversation_id).update(fault=reason)
    engagement.remember_entry(rule, step, at=at, entry=answer.entry)
    words = text or _words_of(conversation, step.group, at=at)
    engagement.speak(conversation, words, author=Author.SYSTEM, at=at)
    if desk is not None:
        agent, slots = desk
        verbs.push(conversation_id, agent=agent, at=at, slots=slots)
    return True


def _of_other_rule(conversation: Conversation, rule: DistributionRule) -> dict[str, Any]:
    """Return what a conversation takes over from a rule that it had not before."""
    if rule.pk == conversation.rule_id:
        return {}
    return {
        "rule_id": rule.pk,
        "style": rule.style,
        "solved_window": rule.window,
        "skill_patience": rule.skill_patience,
    }


def escalate_silent(*, conversation_id: int) -> None:
    """Reaction: escalate if the bot has not answered in time, by the rule that it has asked for.
    Somebody may have done so already."""
    still = Conversation.objects.select_related("rule").filter(
        pk=conversation_id, status=Status.BOT, deadline_kind=DeadlineKind.BOT_SILENCE
    )
    conversation = still.first()
    if conversation is None:
        return
    asked = _asked_for(conversation_id)
    rule = DistributionRule.objects.filter(
        website=conversation.website_id, name=asked.get("rule", ""), is_enabled=True
    ).first()
    # Escalated or closed meanwhile: nothing is left to do.
    with suppress(Refused):
        escalate(
            conversation_id,
            at=timezone.now(),
            rule=rule,
            text=asked.get("text", ""),
            reason=asked.get("fault", ""),
        )


def _asked_for(conversation_id: int) -> dict[str, Any]:
    """Return the escalation that a scenario or a program has asked for, or the fault of a program
    that did not answer."""
    owed = BotRun.objects.filter(conversation=conversation_id).values_list("owed", flat=True)
    asked: dict[str, Any] = next((one for one in owed if "rule" in one), {})
    run = ProgramRun.objects.filter(conversation=conversation_id).first()
    if run is not None:
        asked = run.owed or {"fault": run.last_fault or Fault.NO_ANSWER.value}
    return asked


def _words_of(conversation: Conversation, group: Group, *, at: datetime) -> str:
    """Return the visitor's notice that people take over (R36): the bot's own text or a default.

    The default says when the team is back if it is away (B4).
    """
    bot = conversation.rule.bot if conversation.rule else None
    if bot is not None and bot.escalation_text:
        return bot.escalation_text
    with translation.override(conversation.language):
        if not group.is_open_at(at):
            return _later(conversation, group.opens_at(at), at=at)
        if conversation.is_asynchronous:
            return _("We are transferring you to our team, who usually answer within a few hours.")
        return _("We are transferring you to one of our advisers.")


def _later(conversation: Conversation, opens_at: datetime | None, *, at: datetime) -> str:
    """Return when the team will answer, in the active language and the website's time zone."""
    if opens_at is None:
        return _("We are closed at the moment. Our team will answer you when we are back.")
    return _("We are closed. Our team will be back %(moment)s and will answer you then.") % {
        "moment": at_moment(opens_at, at, conversation.website.zone)
    }


def _say_no_room(conversation: Conversation, steps: list[RuleStep], *, at: datetime) -> None:
    """Inform the visitor that there is no room, once for each time they asked."""
    if conversation.status != Status.BOT:
        raise Refused(Verb.ESCALATE, Status(conversation.status))
    last = conversation.messages.order_by("seq").last()
    # A silent bot is passed over again every minute: one notice after each message is enough.
    if last is None or last.author != Author.SYSTEM:
        with translation.override(conversation.language):
            text = _no_room(conversation, steps, at=at)
        engagement.speak(conversation, text, author=Author.SYSTEM, at=at)


def _no_room(conversation: Conversation, steps: list[RuleStep], *, at: datetime) -> str:
    if not engagement.is_closed(steps, at):
        return _(
            "All our advisers are busy and the queue is full. Your conversation is saved "
            "here and goes to the team as soon as a place is free."
        )
    groups = [step.group for step in steps]
    channel = Channel(conversation.channel)
    skills = conversation.required_skills
    opens_at = opening.back_at(groups, channel, at=at, skills=skills)
    if opens_at is None:
        return _("We are closed at the moment. Your conversation is saved here.")
    return _(
        "We are closed and will be back %(moment)s. Your conversation is saved here until then."
    ) % {"moment": at_moment(opens_at, at, conversation.website.zone)}
