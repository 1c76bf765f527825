"""Where a visitor's first message goes: decided under the queues' locks, whatever answer the page
got before."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Agent, Channel
from conversations.calls.channels import FOR_CALLS
from conversations.lifecycle import verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import rejections, sending
from conversations.messages.sending import Sent
from conversations.models import Author, Conversation, Inbox, Style, Visitor
from conversations.visitors import blocks, persons
from core.db.retry import retried
from core.events import bus
from core.rejection import Rejected
from routing import address_shares, load
from routing.decisions import Entry, Need, choose_agent, choose_step, obstacles
from routing.engaging_rule import engaging_rule
from routing.facts import BotBegan, QueueFilled
from routing.models import Bot, DistributionRule, Mode, RuleStep, TargetingRule
from routing.models.rules import SOCIAL_DEFAULT
from routing.targeting import PageView


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an entry finds room, if it does, and whether its answer may wait. ``is_over_share`` if
    only the address with the hash ``opened_from`` has no place left."""

    entry: Entry | None
    is_asynchronous: bool = False
    is_over_share: bool = False
    opened_from: str = ""


class NoRoom(Rejected):
    """No conversation can start now; ``rule_id`` is the rule that is full, if there is one."""

    def __init__(self, text: str, rule_id: int | None = None) -> None:
        super().__init__("no_room", text, 409)
        self.rule_id = rule_id


def steps_of(rule: DistributionRule, *, lock: bool = False) -> list[RuleStep]:
    """Return the queues of a rule in its order; lock their rows in the order of their ids."""
    steps = RuleStep.objects.filter(rule=rule).select_related("group").order_by("pk")
    if lock:
        steps = steps.select_for_update(no_key=True, of=("self",))
    return sorted(steps, key=lambda step: (step.position, step.pk))


def decide(
    rule: DistributionRule,
    steps: list[RuleStep],
    channel: Channel,
    *,
    at: datetime,
    skills: Collection[int] = (),
    opened_from: str = "",
) -> Placement:
    """Choose the queue for what requires ``skills`` and comes from the address with the hash
    ``opened_from``, by the present loads (C18, C19).

    A rule with a bot engages if one of its queues could take over from the bot (C6).
    """
    loads = load.steps_of(steps, channel, at=at, skills=skills, opened_from=opened_from)
    entry = choose_step(rule.mode, loads)
    if entry is None:
        is_over_share = any(step.would_have_place for step in loads)
        return Placement(entry=None, is_over_share=is_over_share)
    step = next(step for step in steps if step.pk == entry.step_id)
    return Placement(entry, is_asynchronous=step.places > 0, opened_from=opened_from)


@retried
def start(
    visitor: Visitor,
    *,
    body: str,
    client_id: uuid.UUID,
    page_url: str,
    language: str,
    at: datetime,
    view: PageView | None = None,
    engaged_by: int | None = None,
    channel: Channel = Channel.CHAT,
    attachment: uuid.UUID | None = None,
    address: str = "",
) -> tuple[Conversation, Sent]:
    """Start a conversation with its first message, if there is room at this moment.

    ``view`` is the page as it is now and ``engaged_by`` the targeting rule that engaged it; neither
    is trusted. ``address`` is the visitor's internet address. Raise ``NoRoom`` if the last place
    went meanwhile. The same ``client_id`` sent again returns the conversation that it started.
    """
    # Two simultaneous first messages of one visitor (two tabs) must not start two conversations.
    persons.lock(visitor)
    again = _begun(visitor, client_id)
    # ``add`` also answers a repeat with the stored message.
    if again is not None:
        return again, sending.add(
            again.pk,
            author=Author.VISITOR,
            body=body,
            client_id=client_id,
            at=at,
            attachment=attachment,
        )
    # After the repeat was looked for: a message that was accepted stays accepted.
    if blocks.in_force(visitor, at=at).exists():
        raise rejections.blocked()
    view = view or PageView(url=page_url, language=language)
    targeting = engaging_rule(visitor.website, view, engaged_by=engaged_by, at=at)
    if targeting is None:
        raise NoRoom(
            _("We cannot take a new conversation from this page. Your message is saved here.")
        )
    rule, skills = _rule_for(targeting, channel), targeting.as_target().skills
    begun = Conversation(website=visitor.website, visitor=visitor, channel=channel)
    begun.language, begun.page_url = language, page_url
    begun.style, begun.solved_window = rule.style, rule.window
    opened_from = address_shares.hash_of(visitor, address)
    conversation = _open(begun, rule, skills, opened_from=opened_from, at=at)
    sent = sending.add_first(
        conversation, body=body, client_id=client_id, at=at, attachment=attachment
    )
    return conversation, sent


@transaction.atomic
def start_by_inbox(
    visitor: Visitor,
    inbox: Inbox,
    *,
    body: str,
    client_id: uuid.UUID,
    language: str,
    at: datetime,
    attachment: uuid.UUID | None = None,
) -> tuple[Conversation, Sent]:
    """Add a message that came to ``inbox`` to the visitor's open conversation there, or start one
    by the rule of the inbox. Raise ``NoRoom`` if it must start one and cannot.

    It takes slots of messaging, and can be reopened as in social messaging whatever the rule says:
    a person who writes elsewhere is never there to be answered at once.
    """
    persons.lock(visitor)
    present = Conversation.objects.filter(visitor=visitor, inbox=inbox)
    present = present.exclude(status=Status.CLOSED).order_by("-opened_at")
    conversation = present.select_for_update(no_key=True, of=("self",)).first()
    if conversation is not None:
        return conversation, sending.add(
            conversation.pk,
            author=Author.VISITOR,
            body=body,
            client_id=client_id,
            at=at,
            attachment=attachment,
        )
    if blocks.in_force(visitor, at=at).exists():
        raise rejections.blocked()
    persons.check_willing(visitor)
    rule = inbox.rule
    if not rule.is_enabled:
        raise NoRoom(_("We are closed at the moment. Your message is saved here."))
    conversation = _open(
        Conversation(
            website=visitor.website,
            visitor=visitor,
            inbox=inbox,
            channel=Channel.MESSAGING,
            language=language,
            style=Style.SOCIAL,
            solved_window=rule.solved_window or SOCIAL_DEFAULT,
        ),
        rule,
        (),
        at=at,
    )
    sent = sending.add_first(
        conversation, body=body, client_id=client_id, at=at, attachment=attachment
    )
    return conversation, sent


def _open(
    conversation: Conversation,
    rule: DistributionRule,
    skills: Collection[int],
    *,
    at: datetime,
    opened_from: str = "",
) -> Conversation:
    """Store a new conversation with the bot or in a queue of ``rule``; ``NoRoom`` if there is no
    room. ``opened_from`` is the hash of the visitor's internet address."""
    channel = Channel(conversation.channel)
    # A bot takes no place, so the queues need no lock. No bot answers a call.
    bot = rule.answering_bot if channel not in FOR_CALLS else None
    steps = steps_of(rule, lock=bot is None)
    answer = decide(rule, steps, channel, at=at, skills=skills, opened_from=opened_from)
    entry = _entry_of(answer, rule, steps, channel=channel, at=at)
    conversation.rule, conversation.required_skills = rule, list(skills)
    conversation.skill_patience = rule.skill_patience
    conversation.is_asynchronous = answer.is_asynchronous
    conversation.opened_from = answer.opened_from
    if bot is None:
        _enter(conversation, rule, steps, entry, at=at)
    else:
        _begin_with(bot, conversation, at=at)
    return conversation


def _begin_with(bot: Bot, conversation: Conversation, *, at: datetime) -> None:
    conversation.bot_name, conversation.bot_picture = bot.name, bot.picture_url
    verbs.start_bot(conversation, at=at)
    bus.publish(BotBegan(conversation_id=conversation.pk))


# Plain SQL: it runs for each first message, and nearly always finds nothing.
HAS_BEGUN = """
    SELECT FROM conversations_conversation c
    JOIN conversations_visitor v ON v.id = c.visitor_id
    WHERE (v.id = %(visitor)s OR v.person_id = %(person)s) AND (
        c.status <> 'closed' OR EXISTS (
            SELECT FROM conversations_message m
            WHERE m.conversation_id = c.id AND m.client_id = %(client_id)s
        )
    )
    LIMIT 1
"""


def _begun(visitor: Visitor, client_id: uuid.UUID) -> Conversation | None:
    """Return the conversation that this message belongs to: the one it has started, or an open one,
    with its row locked. ``None`` if it must start one. The caller holds the person's lock, so none
    can begin meanwhile."""
    asked = {"visitor": visitor.pk, "person": visitor.person_id, "client_id": client_id}
    with connection.cursor() as cursor:
        cursor.execute(HAS_BEGUN, asked)
        if cursor.fetchone() is None:
            return None
    started = Conversation.objects.filter(
        visitor__in=persons.browsers_of(visitor),
        messages__client_id=client_id,
        messages__author=Author.VISITOR,
    ).first()
    if started is not None:
        return started
    # Locked: it must not close between this query and the message that goes into it.
    return open_conversations(visitor).select_for_update(no_key=True).first()


def _rule_for(targeting: TargetingRule, channel: Channel) -> DistributionRule:
    """Return the distribution rule by which a first message on ``channel`` enters; raise ``NoRoom``
    if it asks for a call where none is offered."""
    if channel not in FOR_CALLS:
        return targeting.rule
    rule, website = targeting.calls_rule, targeting.website
    has_calls = website.has_video_calls if channel == Channel.VIDEO else website.has_calls
    if rule is None or not rule.is_enabled or not has_calls:
        raise NoRoom(_("Calls are not offered on this page. You can write a message."))
    return rule


def _entry_of(
    answer: Placement,
    rule: DistributionRule,
    steps: list[RuleStep],
    *,
    channel: Channel,
    at: datetime,
) -> Entry:
    """Return where a first message goes; raise ``NoRoom`` with the reason if nowhere."""
    if answer.is_over_share:
        raise NoRoom(
            _(
                "Many people on your network are waiting already. Please try again in a few "
                "minutes. Your message is saved here."
            ),
            rule.pk,
        )
    if answer.entry is None:
        raise NoRoom(_why_not(steps, channel, at), rule.pk)
    return answer.entry


def _enter(
    conversation: Conversation,
    rule: DistributionRule,
    steps: list[RuleStep],
    entry: Entry,
    *,
    at: datetime,
) -> None:
    """Put a new conversation into a place of the chosen queue, or on a free desk if the queue has
    none left; ``NoRoom`` if the desk went meanwhile."""
    step = next(step for step in steps if step.pk == entry.step_id)
    desk = None
    channel, skills = Channel(conversation.channel), conversation.required_skills
    if not entry.takes_place:
        desk = claim_desk(step, channel, skills, at=at)
        if desk is None:
            raise NoRoom(_why_not(steps, channel, at), rule.pk)
    verbs.queue(
        conversation,
        group_id=step.group_id,
        queue_id=step.pk,
        at=at,
        places=entry.limit if desk is None else None,
    )
    if desk is not None:
        agent, slots = desk
        verbs.push(conversation.pk, agent=agent, at=at, slots=slots)
    remember_entry(rule, step, at=at, entry=entry)


def speak(conversation: Conversation, text: str, *, author: Author, at: datetime) -> None:
    """Add text of a bot or of the product to a conversation; without text, no message."""
    if text:
        sending.add(conversation.pk, author=author, body=text, client_id=uuid.uuid4(), at=at)


def is_closed(steps: list[RuleStep], at: datetime) -> bool:
    """Return whether none of the groups behind these queues is open."""
    return not any(step.group.is_open_at(at) for step in steps)


def _why_not(steps: list[RuleStep], channel: Channel, at: datetime) -> str:
    """Return the reason shown to a visitor whose first message finds no room (B4)."""
    if channel in FOR_CALLS:
        return _("No one can take a call at the moment. You can write a message.")
    if not is_closed(steps, at):
        return _("All our advisers are busy and the queue is full. Your message is saved here.")
    return _("We are closed at the moment. Your message is saved here.")


def remember_entry(
    rule: DistributionRule, step: RuleStep, *, at: datetime, entry: Entry | None
) -> None:
    """Record the entry for equal share, which gives ties to the queue entered longest ago (C19),
    and publish if it took the last place."""
    if entry is not None and entry.fills:
        bus.publish(QueueFilled(step_id=step.pk, places=entry.limit, at=at.isoformat()))
    # Only this mode reads it; the others spare the write.
    if rule.mode == Mode.EQUAL_SHARE:
        RuleStep.objects.filter(pk=step.pk).update(entered_at=at)


def claim_desk(
    step: RuleStep, channel: Channel, skills: Collection[int], *, at: datetime
) -> tuple[Agent, int] | None:
    """Return the free agent for a conversation without a place to wait, and their slots, or None.

    The agent's row is locked. All candidates are locked, in the one order, before they are counted:
    locked one by one in order of load, two such entries could each wait for the other's agent.
    """
    need = Need(group_id=step.group_id, skill_ids=frozenset(skills))
    able = [
        taker.agent_id
        for taker in load.takers(step.group_id, channel, at=at)
        if not obstacles(taker, need)
    ]
    agents = {
        agent.pk: agent
        for agent in Agent.objects.select_for_update(no_key=True).filter(pk__in=able).order_by("pk")
    }
    # Counted again: other pushes may have filled these agents while their locks were awaited.
    takers = [
        taker for taker in load.takers(step.group_id, channel, at=at) if taker.agent_id in agents
    ]
    chosen = choose_agent(takers, need)
    if chosen is None:
        return None
    slots = next(taker.slots for taker in takers if taker.agent_id == chosen)
    return agents[chosen], slots


def open_conversations(visitor: Visitor) -> QuerySet[Conversation]:
    """Return the open conversations of the person behind ``visitor``, newest first.

    As a rule there is at most one.
    """
    mine = Conversation.objects.filter(visitor__in=persons.browsers_of(visitor))
    return mine.exclude(status=Status.CLOSED).order_by("-opened_at")
