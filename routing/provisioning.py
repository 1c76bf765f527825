"""Creation of a website: its Messenger, group, first rule and team (R205, R210).

The guided set-up and the demo call these. Each function is one transaction and may be called again
to correct what it made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Agent, AgentChannel, Channel, Group, Role, User, Website
from routing import changes
from routing.models import DistributionRule, RuleStep, TargetingRule

FIRST_RULE = "vers equipe de reponse"  # R210
FIRST_PLACES = 3  # R205
FIRST_SLOTS = 3
# Reports compare a year with the one before. The administrator may choose another period.
FIRST_RETENTION_DAYS = 730


@transaction.atomic
def create_group(
    website: Website, *, name: str, members: Iterable[Agent] = (), managers: Iterable[User] = ()
) -> Group:
    """Create a group of a website with its first members."""
    group = Group.objects.create(website=website, name=name)
    group.members.set(members)
    group.managers.set(managers)
    changes.group_changed(group.pk)
    return group


@transaction.atomic
def create_rule(
    website: Website, *, queues: Sequence[tuple[Group, int]], name: str = FIRST_RULE
) -> DistributionRule:
    """Create a rule through ``queues`` (group and places) in order, reached from every page."""
    rule = DistributionRule.objects.create(website=website, name=name)
    for position, (group, places) in enumerate(queues, start=1):
        RuleStep.objects.create(rule=rule, group=group, position=position, places=places)
    TargetingRule.objects.create(website=website, name=name, rule=rule)
    changes.rule_changed(website.pk)
    return rule


@transaction.atomic
def create_user(
    *,
    username: str,
    display_name: str,
    role: Role = Role.AGENT,
    slots: int = FIRST_SLOTS,
    password: str | None = None,
    groups: Iterable[Group] = (),
    **about: Any,
) -> Agent:
    """Create a user with a desk; without a (hashed) ``password`` they must first choose one."""
    user = User.objects.create(
        username=username, password=password or make_password(None), role=role, **about
    )
    return create_agent(user, display_name=display_name, slots=slots, groups=groups)


@transaction.atomic
def create_agent(
    user: User, *, display_name: str, slots: int = FIRST_SLOTS, groups: Iterable[Group] = ()
) -> Agent:
    """Give a desk to an existing user: all roles may converse (R163)."""
    agent = Agent.objects.create(user=user, display_name=display_name)
    AgentChannel.objects.create(agent=agent, channel=Channel.CHAT, slots=slots)
    for group in groups:
        group.members.add(agent)
        changes.group_changed(group.pk)
    changes.agent_changed(agent.pk)
    return agent
