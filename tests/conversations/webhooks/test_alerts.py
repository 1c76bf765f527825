"""Alerts: a full queue and a low rating reach the webhooks that have chosen them, once."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import surveys
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Author, CloseReason, Webhook, WebhookDelivery
from conversations.webhooks import events
from conversations.webhooks import verbs as webhook_verbs
from core.events import outbox
from routing import engagement, full_queues
from routing.actions import escalation
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    BotFactory,
    StepFactory,
    VisitorFactory,
    on_desk,
    with_bot,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=2, rule__everywhere=True)


def webhook(step: RuleStep, *chosen: str) -> Webhook:
    row = Webhook(
        website=step.rule.website, name="alerts", url="https://example.com/", events=list(chosen)
    )
    webhook_verbs.create(row, at=timezone.now())
    return row


def alerts_sent() -> list[tuple[str, dict[str, object]]]:
    outbox.deliver_due()
    rows = WebhookDelivery.objects.order_by("pk")
    return [(row.kind, row.alert or {}) for row in rows]


def begin(step: RuleStep) -> None:
    engagement.start(
        VisitorFactory(website=step.rule.website, agrees=True),
        body="x",
        client_id=uuid.uuid4(),
        page_url="",
        language="fr",
        at=NOW,
    )


def test_the_last_place_of_a_queue_is_an_alert_and_the_one_before_is_not(step: RuleStep) -> None:
    webhook(step, events.QUEUE_FULL)
    webhook(StepFactory(), events.QUEUE_FULL)
    begin(step)
    assert alerts_sent() == []
    begin(step)
    ((kind, alert),) = alerts_sent()
    assert kind == "queue.full"
    assert (alert["group"], alert["places"]) == (step.group.name, 2)


def test_a_queue_that_is_soon_full_again_raises_one_alert(step: RuleStep) -> None:
    webhook(step, events.QUEUE_FULL)
    begun = NOW.replace(minute=0)
    for minutes in (0, 14, 15):
        at = (begun + timedelta(minutes=minutes)).isoformat()
        full_queues.note(step_id=step.pk, places=2, at=at)
    assert len(alerts_sent()) == 2


def test_a_bot_that_passes_on_into_the_last_place_is_an_alert(step: RuleStep) -> None:
    webhook(step, events.QUEUE_FULL)
    step.rule.bot = BotFactory(website=step.rule.website)
    step.rule.save()
    RuleStep.objects.update(places=1)
    talk = with_bot(step)
    assert escalation.escalate(talk.pk, at=NOW)
    assert [kind for kind, _alert in alerts_sent()] == ["queue.full"]


@pytest.mark.parametrize(("csat", "alerts"), [(1, 1), (2, 1), (3, 0), (None, 0)])
def test_only_1_and_2_out_of_5_are_low_ratings(
    step: RuleStep, csat: int | None, alerts: int
) -> None:
    webhook(step, events.LOW_RATING)
    agent = AgentFactory()
    step.group.members.add(agent)
    visitor = VisitorFactory(website=step.rule.website, agrees=True)
    talk = on_desk(step, agent, visitor=visitor)
    sending.add(talk.pk, author=Author.AGENT, body="x", client_id=uuid.uuid4(), at=NOW)
    verbs.close(talk.pk, actor=actors.agent(agent.user), reason=CloseReason.RESOLVED, at=NOW)
    assert surveys.answer(talk.pk, csat=csat, nps=5, comment="secret words", at=NOW)
    sent = alerts_sent()
    assert len(sent) == alerts
    assert "secret words" not in str(sent)


def test_a_disabled_webhook_collects_no_alerts(step: RuleStep) -> None:
    Webhook.objects.filter(pk=webhook(step, events.QUEUE_FULL).pk).update(is_enabled=False)
    full_queues.note(step_id=step.pk, places=2, at=NOW.isoformat())
    full_queues.note(step_id=step.pk + 1000, places=2, at=NOW.isoformat())
    assert alerts_sent() == []
