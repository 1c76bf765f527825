"""The metrics for a monitoring system, and the access to them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from routing.models import Repair, RuleStep
from tests.factories import AgentFactory, StepFactory, connect, in_status, on_desk, queued

pytestmark = pytest.mark.django_db

TOKEN = "a token of twenty characters"


def read(client: Client, token: str = TOKEN) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.parametrize("shown", ["", "another token of twenty characters"])
def test_metrics_require_the_token(client: Client, shown: str) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {shown}"}).status_code == 404


def test_metrics_without_a_token_need_debug(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN, settings.DEMO = "", False
    assert client.get("/metrics").status_code == 404
    settings.DEBUG = True
    assert client.get("/metrics").status_code == 200


def test_metrics_match_the_database(client: Client) -> None:
    now = timezone.now()
    step: RuleStep = StepFactory(places=7)
    agent = AgentFactory()
    step.group.members.add(agent)
    connect(agent, at=now)
    waiting = queued(step, at=now - timedelta(minutes=5))
    in_status("assigned", step, agent, at=now)  # type: ignore[arg-type]
    on_desk(step, agent, at=now)
    queue = (step.group.name, step.rule.name, step.rule.website.key)  # labels are sorted by name
    metrics = read(client)
    assert metrics[("causerie_waiting", *queue)] == 2
    assert metrics[("causerie_places", *queue)] == 7
    assert 300 <= metrics[("causerie_oldest_wait_seconds", *queue)] < 330
    assert metrics[("causerie_conversations", "active")] == 1
    assert metrics[("causerie_conversations", "snoozed")] == 0
    assert metrics[("causerie_agents_connected",)] == 1
    assert metrics[("causerie_repairs_total",)] == 0
    Repair.objects.create(
        website=step.rule.website,
        conversation=waiting,
        agent=agent,
        waited=timedelta(minutes=5),
        at=now,
    )
    metrics = read(client)
    assert metrics[("causerie_repairs_total",)] == 1
    assert metrics[("causerie_last_repair_timestamp_seconds",)] == pytest.approx(now.timestamp())


def test_query_count_does_not_grow_with_the_queues(client: Client) -> None:
    StepFactory()
    read(client)
    with CaptureQueriesContext(
        connection,
    ) as one:
        read(client)
    for _ in range(3):
        queued(StepFactory())
    with CaptureQueriesContext(connection) as queries:
        read(client)
    assert len(one) == len(queries)
