"""May this visitor start a conversation, and where does it go: asked for each page, decided again,
under the queues' locks, at the first message."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Agent, Channel, Website
from conversations import lifecycle, messages
from conversations.messages import Rejected, Sent
from conversations.models import Author, Conversation, Visitor
from conversations.transactions import retried
from conversations.transitions import Status
from routing import load
from routing.decisions import Entry, choose_agent, choose_step
from routing.models import DistributionRule, Mode, RuleStep

NO_RULE = "no_rule"
NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether a page may show the Messenger: if not, why; if so, whether the answer may wait."""

    rule: DistributionRule | None
    entry: Entry | None
    is_asynchronous: bool = False

    @property
    def may_engage(self) -> bool:
        return self.entry is not None

    @property
    def reason(self) -> str:
        if self.entry is not None:
            return ""
        return NO_ROOM if self.rule else NO_RULE


def rule_for(website: Website) -> DistributionRule | None:
    """The rule that decides on this website: the first enabled one."""
    return website.rules.filter(is_enabled=True).order_by("position", "pk").first()


def offer(website: Website, *, at: datetime, channel: Channel = Channel.CHAT) -> Offer:
    """What a page view is told (R42, R43, C18). Not a promise: the first message decides."""
    rule = rule_for(website)
    if rule is None:
        return Offer(rule=None, entry=None)
    steps = list(rule.steps.select_related("group").order_by("position", "pk"))
    return _decide(rule, steps, channel, at=at)


def _decide(
    rule: DistributionRule, steps: list[RuleStep], channel: Channel, *, at: datetime
) -> Offer:
    entry = choose_step(rule.mode, load.steps_of(steps, channel, at=at))
    if entry is None:
        return Offer(rule=rule, entry=None)
    step = next(step for step in steps if step.pk == entry.step_id)
    return Offer(rule=rule, entry=entry, is_asynchronous=step.places > 0)


@retried
def start(
    visitor: Visitor,
    *,
    body: str,
    client_id: uuid.UUID,
    page_url: str,
    language: str,
    at: datetime,
    channel: Channel = Channel.CHAT,
) -> tuple[Conversation, Sent]:
    """Begin a conversation with its first message, if there is room at this very moment.

    Raises ``Rejected`` (409, ``no_room``) where the last place went meanwhile. The same
    ``client_id`` sent again answers with the conversation that it began.
    """
    # Two first messages of one visitor at once (two tabs) must not begin two conversations.
    Visitor.objects.select_for_update(no_key=True).get(pk=visitor.pk)
    again = Conversation.objects.filter(
        visitor=visitor, messages__client_id=client_id, messages__author=Author.VISITOR
    ).first()
    if again is None:
        # Locked: it must not close between this look and the message that goes into it.
        again = open_conversations(visitor).select_for_update(no_key=True).first()
    if again is not None:
        sent = messages.add(again.pk, author=Author.VISITOR, body=body, client_id=client_id, at=at)
        return again, sent
    rule = rule_for(visitor.website)
    steps = (
        list(
            RuleStep.objects.select_for_update(no_key=True, of=("self",))
            .select_related("group")
            .filter(rule=rule)
            .order_by("pk")
        )
        if rule
        else []
    )
    steps.sort(key=lambda step: (step.position, step.pk))
    answer = _decide(rule, steps, channel, at=at) if rule else Offer(rule=None, entry=None)
    if rule is None or answer.entry is None:
        raise Rejected(
            "no_room",
            _("All our advisers are busy and the queue is full. Your message is kept here."),
            409,
        )
    step = next(step for step in steps if step.pk == answer.entry.step_id)
    conversation = Conversation(
        website=visitor.website,
        visitor=visitor,
        channel=channel,
        style=rule.style,
        solved_window=rule.window,
        is_asynchronous=answer.is_asynchronous,
        language=language,
        page_url=page_url,
    )
    if answer.entry.takes_place:
        lifecycle.queue(
            conversation, group_id=step.group_id, queue_id=step.pk, at=at, places=step.places
        )
    else:
        _onto_a_desk(conversation, step, channel, at=at)
    if rule.mode == Mode.EQUAL_SHARE:
        RuleStep.objects.filter(pk=step.pk).update(entered_at=at)
    return conversation, messages.add_first(conversation, body=body, client_id=client_id, at=at)


def _onto_a_desk(
    conversation: Conversation, step: RuleStep, channel: Channel, *, at: datetime
) -> None:
    """Without a place to wait in, a conversation begins on a free desk or not at all.

    All who might take it are locked, in the one order, before they are counted: one after the
    other in order of their load, two such entries could each wait for the other's agent.
    """
    free = [taker.agent_id for taker in load.takers(step.group_id, channel, at=at) if taker.free]
    agents = {
        agent.pk: agent
        for agent in Agent.objects.select_for_update(no_key=True).filter(pk__in=free).order_by("pk")
    }
    takers = [
        taker for taker in load.takers(step.group_id, channel, at=at) if taker.agent_id in agents
    ]
    chosen = choose_agent(takers)
    if chosen is None:
        raise Rejected(
            "no_room",
            _("All our advisers are busy right now. Your message is kept here."),
            409,
        )
    slots = next(taker.slots for taker in takers if taker.agent_id == chosen)
    lifecycle.queue(conversation, group_id=step.group_id, queue_id=step.pk, at=at)
    lifecycle.push(conversation.pk, agent=agents[chosen], at=at, slots=slots)


def open_conversations(visitor: Visitor) -> QuerySet[Conversation]:
    """The visitor's conversations that are not closed, the newest first; one at most, as a rule."""
    return visitor.conversations.exclude(status=Status.CLOSED).order_by("-opened_at")
