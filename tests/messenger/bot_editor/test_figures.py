"""The figures of a version: each conversation has one outcome, and each figure opens its own."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from conversations.lifecycle import deadlines
from conversations.models import Survey
from core.events import outbox
from routing import engagement
from routing.bots import outcomes
from routing.bots.outcomes import Outcome, Satisfaction
from routing.models import BotVersion, RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import BotFactory, RuleFactory, StepFactory, UserFactory, VisitorFactory
from tests.routing.bots.scenarios import shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]


@pytest.fixture
def version() -> BotVersion:
    rule = RuleFactory()
    rule.bot = BotFactory(website=rule.website, scenario=dict(shop().data))
    rule.save()
    step = StepFactory(rule=rule, places=9)
    for said in (["Lamps"], ["Something else"], ["My order"], [], ["My order", "CM"]):
        talk(step, *said)
    version: BotVersion = rule.bot.published
    return version


def talk(step: RuleStep, *said: str) -> None:
    visitor = VisitorFactory(website=step.rule.website)
    for body in ("Hi", *said):
        engagement.start(
            visitor, body=body, client_id=uuid.uuid4(), page_url="", language="en", at=NOW
        )
        while outbox.deliver_due():
            pass


def test_every_conversation_has_one_outcome(version: BotVersion) -> None:
    deadlines.enforce_many(at=NOW + timedelta(minutes=6))
    talk(RuleStep.objects.get())
    figures = outcomes.figures_of(version)
    assert figures.totals.begun == 6
    assert figures.totals.outcomes == {
        Outcome.ESCALATED: 1,
        Outcome.CONTAINED: 1,
        Outcome.SILENT: 3,
        Outcome.RUNNING: 1,
    }
    assert figures.entered == {
        "hello": 6,
        "topic": 6,
        "lamps": 1,
        "bye": 1,
        "people": 1,
        "number": 2,
    }
    assert figures.left == {"bye": 1, "number": 2, "topic": 1}


def test_figures_open_exactly_their_conversations(version: BotVersion, client: Client) -> None:
    deadlines.enforce_many(at=NOW + timedelta(minutes=6))
    figures = outcomes.figures_of(version)
    client.force_login(UserFactory(role=Role.ADMIN))
    address = reverse("admin:scenario_figures", args=[version.bot_id, version.number])

    def opened(**figure: str) -> int:
        page = client.get(address, figure)
        return len(page.context["conversations"])

    assert opened(figure="begun") == figures.totals.begun
    for outcome, count in figures.totals.outcomes.items():
        assert opened(figure=outcome.value) == count
    for step, count in figures.entered.items():
        assert opened(figure="entered", step=step) == count
    for step, count in figures.left.items():
        assert opened(figure="left", step=step) == count
    assert client.get(address, {"figure": "dance"}).status_code == 404
    assert client.get(address).context["conversations"] is None
    assert client.get(address.replace("/1/figures", "/7/figures")).status_code == 404


def test_satisfaction_is_told_apart_by_who_had_the_conversation_last(
    version: BotVersion, client: Client
) -> None:
    for csat, condition in ((5, outcomes.Outcome.CONTAINED), (2, outcomes.Outcome.ESCALATED)):
        conversation = outcomes.with_outcome(outcomes.conversations_of(version), condition).get()
        Survey.objects.filter(conversation=conversation).delete()
        Survey.objects.create(
            conversation=conversation,
            website=conversation.website,
            rule=conversation.rule,
            style=conversation.style,
            language=conversation.language,
            offered_at=NOW,
            answered_at=NOW,
            csat=csat,
        )
    figures = outcomes.figures_of(version)
    assert figures.totals.after_bot == Satisfaction(5.0, 1)
    assert figures.totals.after_people == Satisfaction(2.0, 1)
    client.force_login(UserFactory(role=Role.ADMIN))
    address = reverse("admin:scenario_figures", args=[version.bot_id, version.number])
    for figure, csat in (("after_bot", 5), ("after_people", 2)):
        page = client.get(address, {"figure": figure})
        opened = page.context["conversations"]
        assert [one.csat for one in Survey.objects.filter(conversation__in=opened)] == [csat]


def test_a_version_that_nobody_has_met_has_no_shares(client: Client) -> None:
    bot = BotFactory(scenario=dict(shop().data))
    client.force_login(UserFactory(role=Role.ADMIN))
    page = client.get(reverse("admin:scenario_figures", args=[bot.pk, 1]))
    assert page.status_code == 200
    assert all(one["share"] is None for one in page.context["outcomes"])
