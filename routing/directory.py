"""Accounts that an outside directory makes and changes: single sign-on, SCIM (docs/adr/0047).

They get a desk like everybody's. What takes effect at once is published as for a change in the
administration.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import Agent, Group, Role, User
from accounts.single_sign_on.admission import Admission
from accounts.single_sign_on.people import Newcomer
from routing import changes, provisioning


@transaction.atomic
def create(newcomer: Newcomer, admission: Admission) -> User:
    """Create an account with a desk, without a password."""
    agent = provisioning.create_user(
        username=newcomer.username,
        display_name=(newcomer.first_name or newcomer.username)[:60],
        role=Role(admission.role),
        groups=Group.objects.filter(pk__in=admission.group_ids),
        first_name=newcomer.first_name,
        last_name=newcomer.last_name,
        email=newcomer.email,
    )
    return agent.user


@transaction.atomic
def update(user: User, admission: Admission, named: frozenset[int]) -> None:
    """Give the user this role and these groups. Of the groups ``named`` by any rule, those that are
    not given are taken; others were given by people and stay."""
    if user.role != admission.role:
        user.role = admission.role
        user.save(update_fields=["role"])
        changes.account_changed(user.pk)
    agent = Agent.objects.filter(user=user).first()
    if agent is not None:
        before = set(agent.groups.filter(pk__in=named).values_list("pk", flat=True))
        set_groups(agent, add=admission.group_ids - before, remove=before - admission.group_ids)


def set_groups(agent: Agent, *, add: frozenset[int] | set[int], remove: set[int]) -> None:
    """Change the groups of an agent, whose conversations return to a group that is lost."""
    if not add and not remove:
        return
    agent.groups.add(*Group.objects.filter(pk__in=add))
    agent.groups.remove(*Group.objects.filter(pk__in=remove))
    for group_id in sorted(add | remove):
        changes.group_changed(group_id)
    changes.agent_changed(agent.pk)
