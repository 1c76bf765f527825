"""Changes of who holds a conversation: wake, resume, take, transfer, release.

These verbs depend on capacity and connections. They take their locks in the one order: agents
(by id) before the conversation.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from accounts.models import Agent, Channel, Group, Skill, SkillKind, User
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.actors import Actor
from conversations.lifecycle.transitions import Refused, Status, Verb
from conversations.models import Conversation
from core.db.retry import retried
from routing import load, presence
from routing.models import RuleStep

CONNECTED = "its agent is connected"


@retried
def transfer_to_group(
    conversation_id: int,
    *,
    group: Group,
    actor: Actor,
    at: datetime,
    skills: Collection[int] | None = None,
) -> Conversation:
    """Transfer to another team: to its queue of the same rule, else to its first queue (R199).

    If that queue has places, a live conversation becomes asynchronous (C53). ``skills`` are those
    required there. By default the required languages stay, because they are the visitor's; topics
    belonged to the former team.
    """
    website_id, rule_id, required, is_asynchronous = Conversation.objects.values_list(
        "website_id", "queue__rule_id", "required_skills", "is_asynchronous"
    ).get(pk=conversation_id)
    if group.website_id != website_id:
        raise Refused(Verb.TRANSFER_TO_GROUP, None, "this group belongs to another website")
    kept_skills = Skill.objects.filter(website=website_id)
    if skills is None:
        kept_skills = kept_skills.filter(pk__in=required, kind=SkillKind.LANGUAGE)
    else:
        kept_skills = kept_skills.filter(pk__in=skills)
    steps = RuleStep.objects.filter(group=group).order_by("position", "pk")
    step = steps.filter(rule_id=rule_id).first() or steps.first()
    return verbs.transfer_to_group(
        conversation_id,
        group=group,
        queue_id=step.pk if step else None,
        actor=actor,
        at=at,
        required_skills=list(kept_skills.values_list("pk", flat=True)),
        may_wait=step is None or step.places > 0,
        before={"required_skills": required, "is_asynchronous": is_asynchronous},
    )


@retried
def transfer_to_agent(
    conversation_id: int, *, agent: Agent, actor: Actor, at: datetime
) -> Conversation:
    """Transfer to one agent. If they cannot take it at once, it may wait for hours (C53)."""
    channel, is_asynchronous = Conversation.objects.values_list("channel", "is_asynchronous").get(
        pk=conversation_id
    )
    # Read before the lock, because it decides only whether the conversation may wait.
    taker = load.taker(agent.pk, Channel(channel), at=at)
    return verbs.transfer_to_agent(
        conversation_id,
        agent=agent,
        actor=actor,
        at=at,
        may_wait=taker is None or not taker.free,
        before={"is_asynchronous": is_asynchronous},
    )


@retried
def release(conversation_id: int, *, actor: Actor, at: datetime) -> Conversation:
    """Return a stranded conversation to its queue (C21). Managers: ``by_supervisor.release``."""
    lock_unheld(conversation_id, Verb.RELEASE, at)
    return verbs.release(conversation_id, actor=actor, at=at)


def lock_unheld(conversation_id: int, verb: Verb, at: datetime) -> Conversation:
    """Lock its holder and its row; refuse if the holder is connected and has it on their desk."""
    holder = Conversation.objects.values_list("agent_id", flat=True).get(pk=conversation_id)
    if holder is not None:
        # The holder is read without a lock to know whom to lock first; it is compared again below.
        Agent.objects.select_for_update(no_key=True).get(pk=holder)
    conversation = verbs.lock(conversation_id)
    status = Status(conversation.status)
    if conversation.agent_id != holder:
        raise Refused(verb, status, "it has just moved")
    if status == Status.ACTIVE and holder is not None and presence.is_connected(holder, at):
        raise Refused(verb, status, CONNECTED)
    return conversation


@retried
def take(conversation_id: int, *, user: User, at: datetime) -> Conversation:
    """Pull an assigned conversation to the agent's desk, beyond their slots if need be (C35)."""
    agent = Agent.objects.select_for_update(no_key=True).get(user=user)
    return verbs.take(conversation_id, agent=agent, actor=actors.agent(user), at=at)


def release_stranded(*, at: datetime) -> int:
    """Release conversations on desks lost for longer than the group's setting (C21, B2)."""
    released = 0
    on_desks = Conversation.objects.filter(
        status=Status.ACTIVE, group__release_minutes__isnull=False
    ).select_related("group", "agent__presence")
    for conversation in on_desks:
        # An agent who has never opened a desk has no row of presence.
        seen = getattr(conversation.agent, "presence", None)
        minutes = conversation.group.release_minutes if conversation.group else None
        if seen is None or seen.is_connected or minutes is None:
            continue
        if (at - seen.changed_at).total_seconds() < minutes * 60:
            continue
        try:
            release(conversation.pk, actor=actors.SYSTEM, at=at)
        except Refused:
            continue  # The agent has just come back.
        released += 1
    return released
