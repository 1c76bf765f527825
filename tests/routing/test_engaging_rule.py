"""A first message enters by the targeting rule of its page, not by the one its browser claims."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Skill, Website
from conversations.models import Conversation
from routing import engagement
from routing.engagement import NoRoom
from routing.models import RuleStep, TargetingRule
from routing.targeting import PageView
from tests.clock import NOW
from tests.factories import RuleFactory, StepFactory, TargetingRuleFactory, VisitorFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CART = PageView(url="https://www.example.com/cart/", language="fr")
HOME = PageView(url="https://www.example.com/", language="fr")


@pytest.fixture
def everywhere() -> RuleStep:
    return StepFactory(places=5)


@pytest.fixture
def cart(everywhere: RuleStep) -> TargetingRule:
    """Another distribution rule of the same website, for the cart only, and checked first."""
    step = StepFactory(
        rule=RuleFactory(website=everywhere.rule.website, everywhere=False), places=5
    )
    TargetingRule.objects.update(position=9)
    rule: TargetingRule = TargetingRuleFactory(
        rule=step.rule, position=0, pages_included=["/cart/*"]
    )
    return rule


def enter(website: Website, view: PageView, engaged_by: Any = None) -> Conversation:
    conversation, _sent = engagement.start(
        VisitorFactory(website=website),
        body="Bonjour",
        client_id=uuid.uuid4(),
        page_url=view.url,
        language="fr",
        view=view,
        engaged_by=engaged_by,
        at=NOW,
    )
    return conversation


def test_the_engaging_rule_decides_while_it_matches_the_page(
    everywhere: RuleStep, cart: TargetingRule
) -> None:
    website = everywhere.rule.website
    other = TargetingRule.objects.get(rule=everywhere.rule)
    assert enter(website, CART).rule == cart.rule
    assert enter(website, CART, cart.pk).rule == cart.rule
    assert enter(website, CART, other.pk).rule == everywhere.rule  # it was first a moment ago


def test_a_claimed_rule_must_match_the_page(everywhere: RuleStep, cart: TargetingRule) -> None:
    website = everywhere.rule.website
    foreign = TargetingRule.objects.get(rule=StepFactory().rule)
    assert enter(website, HOME, cart.pk).rule == everywhere.rule
    assert enter(website, HOME, foreign.pk).rule == everywhere.rule
    assert enter(website, HOME, 10**9).rule == everywhere.rule
    cart.is_enabled = False
    cart.save()
    assert enter(website, CART, cart.pk).rule == everywhere.rule
    everywhere.rule.is_enabled = False
    everywhere.rule.save()
    with pytest.raises(NoRoom) as refused:
        enter(website, HOME, foreign.pk)
    assert refused.value.rule_id is None


def test_a_full_first_match_does_not_fall_through(
    everywhere: RuleStep, cart: TargetingRule
) -> None:
    cart.rule.steps.update(places=0)
    with pytest.raises(NoRoom) as refused:
        enter(everywhere.rule.website, CART)
    assert refused.value.rule_id == cart.rule_id


def test_skills_of_the_targeting_rule_are_required(
    everywhere: RuleStep, cart: TargetingRule
) -> None:
    german = Skill.objects.create(website=everywhere.rule.website, name="Deutsch")
    cart.skills.add(german)
    assert enter(everywhere.rule.website, CART).required_skills == [german.pk]


def test_rules_for_closed_hours_use_current_hours(
    everywhere: RuleStep, cart: TargetingRule
) -> None:
    website, group = everywhere.rule.website, cart.rule.steps.get().group
    cart.hours = "closed"
    cart.save()
    assert enter(website, CART, cart.pk).rule == everywhere.rule
    group.is_open, group.hours_change_at = False, NOW + timedelta(hours=1)
    group.save()
    assert enter(website, CART, cart.pk).rule == cart.rule
