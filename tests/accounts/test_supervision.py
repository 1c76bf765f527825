"""Supervision by group and by website, as a value, as rows and as a statement."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from accounts import supervision
from accounts.models import Group, Role, User
from conversations.models import Conversation
from tests.factories import StepFactory, UserFactory, WebsiteFactory, queued, with_bot

pytestmark = pytest.mark.django_db


def manager(*groups: Group, **how: Any) -> User:
    user = UserFactory(**({"role": Role.MANAGER} | how))
    for group in groups:
        group.managers.add(user)
    return user


@pytest.fixture
def groups() -> list[Group]:
    """Two groups of one website, one of another."""
    website = WebsiteFactory()
    steps = [StepFactory(rule__website=website) for _ in range(2)]
    return [step.group for step in [*steps, StepFactory()]]


def test_managing_every_group_covers_the_whole_website(groups: list[Group]) -> None:
    sales, support, elsewhere = groups
    here, there = sales.website_id, elsewhere.website_id
    part = supervision.of(manager(sales))
    assert (part.websites, part.parts) == (frozenset(), {here: {sales.pk}})
    assert part.covers(here, sales.pk)
    assert not part.covers(here, support.pk)
    assert not part.covers(here, None)
    whole = supervision.of(manager(sales, support))
    assert (whole.websites, whole.parts) == ({here}, {})
    assert whole.covers(here, None)
    assert not whole.covers(there, elsewhere.pk)
    both = supervision.of(manager(sales, elsewhere))
    assert (both.websites, both.parts) == ({there}, {here: {sales.pk}})
    assert both.groups_among([here]) == {sales.pk}
    assert both.groups_among([there]) == frozenset()


def test_a_new_group_ends_supervision_of_the_whole_website(groups: list[Group]) -> None:
    user = manager(groups[2])
    there = groups[2].website_id
    assert supervision.of(user).is_whole(there)
    StepFactory(rule__website=groups[2].website)
    assert not supervision.of(user).is_whole(there)


def test_only_active_managers_and_administrators_supervise(groups: list[Group]) -> None:
    for user in (
        manager(*groups, role=Role.AGENT),
        manager(*groups, role=Role.EXPERT),
        manager(*groups, is_active=False),
        manager(),
    ):
        assert supervision.of(user) == supervision.Supervised()
    for user in (manager(role=Role.ADMIN), manager(role=Role.AGENT, is_superuser=True)):
        assert supervision.of(user).everything


def test_supervision_takes_one_query(groups: list[Group], django_assert_num_queries: Any) -> None:
    for user, statements in ((manager(*groups), 1), (manager(role=Role.ADMIN), 0)):
        with django_assert_num_queries(statements):
            supervision.of(user)


def test_all_forms_of_the_supervision_rule_agree(groups: list[Group]) -> None:
    """As a value, as part of a statement, as rows, and as visibility of a conversation: for every
    choice of groups."""
    rows = [queued(group.steps.get()) for group in groups]
    rows += [with_bot(group.steps.get()) for group in groups[1:]]
    users = [manager(*some) for n in range(4) for some in itertools.combinations(groups, n)]
    users += [manager(*groups, role=Role.AGENT), manager(role=Role.ADMIN)]
    users += [manager(groups[0], role=Role.AGENT, is_superuser=True)]
    users += [manager(groups[0], is_active=False)]
    for user in users:
        seen = supervision.of(user)
        wanted = {row.pk for row in rows if seen.covers(row.website_id, row.group_id)}
        by_value = Conversation.objects.filter(seen.rows())
        by_statement = Conversation.objects.filter(supervision.rows_of(user))
        from_there = {
            row.pk
            for row in rows
            if supervision.overseers_of(row.website_id, row.group_id).filter(pk=user.pk).exists()
        }
        visible = Conversation.objects.visible_to(user)
        assert {row.pk for row in by_value} == wanted
        assert {row.pk for row in by_statement} == wanted
        assert {row.pk for row in visible} == wanted
        assert from_there == wanted
