"""Warnings in words: for those who can act, on the pages they use, in a constant number of
queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import Group, OpeningHours, Role, Skill, User
from routing import advice
from routing.advice import WORDS
from routing.models import RuleStep, TargetingRule
from routing.warnings import Kind
from tests.clock import NOW
from tests.factories import AgentFactory, GroupFactory, RuleFactory, StepFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RuleStep:
    """A queue without any warnings."""
    step = StepFactory(places=3, rule__name="Urgent", group__name="Team")
    step.group.members.add(AgentFactory())
    # The factory makes one for each rule.
    step.rule.targeting_rules.update(name="Everywhere", position=5)
    return step


@pytest.fixture
def admin() -> User:
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER)
    step.group.managers.add(user)
    return user


def kinds(user: User) -> set[Kind]:
    return {one.kind for one in advice.for_user(user, at=NOW)}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_sound_settings_give_no_advice(step: RuleStep, admin: User) -> None:
    assert advice.for_user(admin, at=NOW) == []
    assert "Conflicting settings" not in browser(admin).get("/admin/").content.decode()


def test_an_administrator_sees_problems_on_the_pages_concerned(step: RuleStep, admin: User) -> None:
    step.group.members.clear()
    by_kind = {one.kind: one for one in advice.for_user(admin, at=NOW)}
    assert set(by_kind) == {Kind.RULE_WITHOUT_AGENTS, Kind.GROUP_WITHOUT_MEMBERS}
    group = by_kind[Kind.GROUP_WITHOUT_MEMBERS]
    assert group.problem == ("The group “Team” receives conversations but has no members.")
    assert group.url == f"/admin/accounts/group/{step.group_id}/change/"
    client = browser(admin)
    for path in ("/admin/", group.url, "/reports/production/"):
        assert (
            "“Team” receives conversations but has no members" in client.get(path).content.decode()
        ), path
    assert (
        "“Urgent”"
        in client.get(f"/admin/routing/distributionrule/{step.rule_id}/change/").content.decode()
    )
    with translation.override("fr"):
        assert "«\u00a0Team\u00a0»" in advice.for_user(admin, at=NOW)[-1].problem


def test_an_unrelated_page_shows_no_advice(step: RuleStep, admin: User) -> None:
    step.group.members.clear()
    other = GroupFactory(website=step.group.website)
    shown = browser(admin).get(f"/admin/accounts/group/{other.pk}/change/").content.decode()
    assert "conflicting setting" not in shown.lower()


def test_a_manager_sees_only_problems_of_their_groups(step: RuleStep, manager: User) -> None:
    foreign = StepFactory()  # without members, without targeting, on another website
    assert kinds(manager) == set()
    step.group.members.clear()
    assert kinds(manager) == {Kind.GROUP_WITHOUT_MEMBERS}
    shown = browser(manager).get("/admin/").content.decode()
    assert "has no members" in shown
    assert foreign.group.name not in shown


def test_an_agent_in_a_live_and_a_queued_group_is_reported(step: RuleStep, admin: User) -> None:
    """An agent in a live group and in one with a queue."""
    live = StepFactory(rule=step.rule, group__website=step.rule.website, places=0)
    live.group.members.add(step.group.members.get())
    assert kinds(admin) == {Kind.AGENT_IN_BOTH}


def test_targeting_and_skill_problems_are_reported(step: RuleStep, admin: User) -> None:
    website = step.rule.website
    skill = Skill.objects.create(website=website, name="French")
    narrow = TargetingRule.objects.create(
        website=website, name="Late", rule=step.rule, position=9, seconds_on_page=5
    )
    assert kinds(admin) == {Kind.TARGETING_NEVER_MATCHES}
    narrow.position = 0
    narrow.save()
    TargetingRule.objects.filter(name="Everywhere").update(position=5)
    narrow.skills.add(skill)
    assert kinds(admin) == {Kind.SKILL_NOBODY_HAS}
    step.group.members.get().skills.add(skill)
    assert kinds(admin) == set()
    OpeningHours.objects.create(group=step.group, weekday=0, opens="09:00", closes="18:00")
    assert kinds(admin) == set()


def test_every_kind_has_texts_with_the_right_placeholders() -> None:
    assert set(WORDS) == set(Kind)
    for kind, (model, others, problem, remedy) in WORDS.items():
        assert model in advice.MODELS, kind
        assert ("{others}" in str(problem)) == bool(others), kind
        assert "{" not in str(remedy), kind
        assert "{name}" in str(problem), kind


def test_query_count_does_not_grow_with_the_settings(
    step: RuleStep, admin: User, django_assert_num_queries: Any
) -> None:
    def count() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            advice.for_user(admin, at=NOW)
        return len(queries)

    Group.objects.get(pk=step.group_id).members.clear()
    before = count()
    for _number in range(6):
        more = StepFactory()
        more.group.members.add(AgentFactory(slots=0))
        RuleFactory(website=more.rule.website)
    assert count() <= before + 3  # the names of kinds of objects that had no fault before
