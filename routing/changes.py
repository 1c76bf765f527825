"""Immediate effect of settings (R216): each change is published in its own transaction, and the
queues or agents that gained something are drained after the commit.

There is one function for each kind of setting. Call it after the rows are written or removed,
inside the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func
from django.utils import timezone

from accounts.models import Agent, Skill
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from core.events import bus
from routing import opening
from routing.facts import (
    AccessChanged,
    AgentChanged,
    CapacityAdded,
    GroupChanged,
    RuleChanged,
    WebsiteChanged,
)


def rule_changed(website_id: int) -> None:
    """A distribution rule or its queues were saved, added or removed."""
    bus.publish(RuleChanged(website_id=website_id))


def group_changed(group_id: int) -> None:
    """A group was saved: its members, timers, time zone, opening hours or own holidays."""
    opening.set_again([group_id], at=timezone.now())
    bus.publish(GroupChanged(group_id=group_id))


def website_changed(website_id: int) -> None:
    """A website's time zone or holidays were saved: all its groups may open or close."""
    opening.set_again(opening.groups_of(website_id), at=timezone.now())
    bus.publish(WebsiteChanged(website_id=website_id))


def agent_changed(agent_id: int) -> None:
    """An agent's slots, channels, skills or groups were saved."""
    bus.publish(AccessChanged(agent_id=agent_id))
    bus.publish(AgentChanged(agent_id=agent_id))
    bus.publish(CapacityAdded(agent_id=agent_id))


def account_changed(user_id: int) -> None:
    """An account was saved: it may be deactivated, active again, or have another role."""
    for agent_id in Agent.objects.filter(user=user_id).values_list("pk", flat=True):
        agent_changed(agent_id)


def group_removed(website_id: int, members: Iterable[int]) -> None:
    """A group was deleted, and with it its ``members``' right to its website."""
    bus.publish(RuleChanged(website_id=website_id))
    for agent_id in members:
        agent_changed(agent_id)


def skill_changed(skill_id: int) -> None:
    """A skill or its agents were saved, or it was deleted and no conversation requires it now."""
    if Skill.objects.filter(pk=skill_id).exists():
        for agent_id in Agent.objects.filter(skills=skill_id).values_list("pk", flat=True):
            agent_changed(agent_id)
        return
    # The column is an array, so the database does not remove what refers to a deleted skill.
    asking = Conversation.objects.filter(required_skills__contains=[skill_id]).exclude(
        status=Status.CLOSED
    )
    websites = list(asking.order_by().values_list("website_id", flat=True).distinct())
    asking.update(
        required_skills=Func(
            F("required_skills"),
            skill_id,
            function="array_remove",
            output_field=ArrayField(BigIntegerField()),
        )
    )
    for website_id in websites:
        bus.publish(WebsiteChanged(website_id=website_id))
