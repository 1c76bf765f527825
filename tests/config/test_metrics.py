"""The metrics for a monitoring system, and the access to them."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from config import metrics as endpoint
from conversations.models import WebhookDelivery
from core.models import OutboxEntry
from core.monitoring import measurements, processes, valkey
from messenger.models import Mail
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


@pytest.fixture(autouse=True)
def nothing_measured() -> None:
    measurements._added.clear()
    measurements._known.clear()
    valkey.connection().delete(measurements.COUNTS, processes.PROCESSES)


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


def test_what_is_owed_is_counted(client: Client) -> None:
    now = timezone.now()
    late = now - timedelta(minutes=3)
    OutboxEntry.objects.create(reaction="a", payload={}, due_at=late)
    OutboxEntry.objects.create(reaction="b", payload={}, due_at=late, dead_at=now)
    step = StepFactory()
    conversation = queued(step, at=now)
    mail = {"conversation": conversation, "to": "a@example.com", "created_at": late}
    Mail.objects.create(**mail, due_at=late)
    Mail.objects.create(**mail, due_at=now + timedelta(hours=1))
    metrics = read(client)
    assert metrics[("causerie_outbox_owed",)] >= 1
    assert metrics[("causerie_outbox_dead",)] == 1
    assert 180 <= metrics[("causerie_outbox_oldest_seconds",)] < 240
    assert metrics[("causerie_mails_due",)] == 1
    assert metrics[("causerie_webhooks_owed",)] == WebhookDelivery.objects.count() == 0


def test_requests_of_all_processes_are_counted_and_timed(client: Client) -> None:
    measurements.count(measurements.REQUESTS, "login", "GET", "2xx")
    measurements.observe(measurements.REQUEST_SECONDS, 0.03, "login")
    measurements.send()
    measurements.count(measurements.REQUESTS, "login", "GET", "2xx")  # by another process
    measurements.observe(measurements.REQUEST_SECONDS, 3.0, "login")
    metrics = read(client)
    assert metrics[("causerie_http_requests_total", "GET", "2xx", "login")] == 2
    buckets = {
        key[1]: value for key, value in metrics.items() if key[0].endswith("request_seconds_bucket")
    }
    assert [buckets[bound] for bound in ("0.025", "0.05", "2.5", "5.0", "+Inf")] == [0, 1, 1, 2, 2]
    assert metrics[("causerie_http_request_seconds_sum", "login")] == pytest.approx(3.03)
    assert metrics[("causerie_http_request_seconds_count", "login")] == 2


def test_checks_and_waiting_tasks_are_reported(client: Client) -> None:
    queue = valkey.connection(django_settings.QUEUE_URL)
    queue.delete(endpoint.TASK_QUEUE)
    queue.rpush(endpoint.TASK_QUEUE, "one", "two")
    metrics = read(client)
    queue.delete(endpoint.TASK_QUEUE)
    assert metrics[("causerie_tasks_waiting",)] == 2
    assert metrics[("causerie_check_ok", "database")] == 1
    assert metrics[("causerie_check_ok", "disk")] in {0, 1}
    assert metrics[("causerie_processes", processes.kind())] == 1


def test_without_valkey_the_metrics_are_those_of_the_database(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RATE_LIMIT_URL = "redis://127.0.0.1:1"
    metrics = read(client)
    assert metrics[("causerie_agents_connected",)] == 0
    assert "the metrics are those of the database" in caplog.text
    assert not [key for key in metrics if key[0].startswith("causerie_http")]


def test_without_the_database_the_metrics_are_those_of_valkey(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> list[object]:
        raise OperationalError from psycopg.OperationalError("nobody listens")

    monkeypatch.setattr(endpoint, "_queues", fail)
    metrics = read(client)
    assert ("causerie_http_requests_running",) in metrics
    assert ("causerie_agents_connected",) not in metrics
    assert "the metrics are those of Valkey" in caplog.text
