"""``/metrics`` for a monitoring system, in Prometheus' text format.

Figures of routing are read from the database on request, and what all processes count and time from
Valkey: any web process answers for the whole installation, and its restart resets nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Max, Min, Q
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from config.health import recent
from config.monitoring_rights import may_read
from config.readiness import State, free_bytes
from config.version import version
from conversations.lifecycle.deadlines import database_now
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, WebhookDelivery
from core.db.retry import is_unreachable
from core.models import OutboxEntry
from core.monitoring import exposition, heartbeats, measurements, valkey
from core.rates import counters
from messenger.models import Mail, MailStatus
from routing.models import DeskPresence, Repair, RuleStep

logger = logging.getLogger(__name__)

TASK_QUEUE = f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}celery"


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer requests with the token (``METRICS_TOKEN``, as a bearer). If none is set, answer only
    in the demo and with debug pages on: on a developer's own machine."""
    if not may_read(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Measurements())
    registry.register(Figures())
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "no-store"
    return response


class Measurements:
    """What processes count and time, and what they say of themselves; nothing while Valkey is
    away."""

    def collect(self) -> Iterator[Metric]:
        measurements.send()  # what this process has not sent yet
        try:
            yield from exposition.counted()
            yield from exposition.gauged()
            waiting = valkey.connection(settings.QUEUE_URL).llen(TASK_QUEUE)
            yield _gauge("causerie_tasks_waiting", "Tasks that no worker has taken.", waiting)
            ages = heartbeats.ages()
        except valkey.UNREACHABLE:
            logger.warning("Valkey does not answer: the metrics are those of the database")
            return
        family = GaugeMetricFamily(
            "causerie_heartbeat_age_seconds",
            "How long ago beat sent a task, and a worker finished one.",
            labels=["of"],
        )
        for name, age in ages.items():
            if age is not None:
                family.add_metric([name], age)
        yield family


class Figures:
    """The figures of routing, each from one statement, and the checks of ``/readyz``."""

    def collect(self) -> Iterator[Metric]:
        yield _checks()
        build = GaugeMetricFamily("causerie_build", "The running version.", labels=["version"])
        build.add_metric([version()], 1)
        yield build
        yield _gauge("causerie_media_free_bytes", "Room left for files.", free_bytes())
        yield _refused()
        try:
            yield from list(_of_database())
        except DatabaseError as error:
            if not is_unreachable(error):
                raise
            logger.warning("the database does not answer: the metrics are those of Valkey")


def _of_database() -> Iterator[Metric]:
    yield from _queues()
    yield _conversations()
    yield from _repairs()
    agents = DeskPresence.objects.filter(is_connected=True).count()
    yield _gauge("causerie_agents_connected", "Agents of whom a desk is heard.", agents)
    owed = OutboxEntry.objects.filter(done_at=None)
    entries = owed.aggregate(live=Count("pk", filter=Q(dead_at=None)), dead=Count("dead_at"))
    yield _gauge("causerie_outbox_owed", "Reactions that are owed.", entries["live"])
    yield _gauge("causerie_outbox_dead", "Reactions that were given up.", entries["dead"])
    now = database_now()
    oldest = owed.filter(dead_at=None).aggregate(due=Min("due_at"))["due"]
    overdue_by = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    yield _gauge("causerie_outbox_oldest_seconds", "How long the oldest is overdue.", overdue_by)
    yield from _sent()
    overdue = Conversation.objects.filter(deadline_at__lte=now).count()
    yield _gauge("causerie_deadlines_overdue", "Deadlines that have come.", overdue)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _queues() -> Iterator[Metric]:
    labels = ["website", "rule", "group"]
    waiting = GaugeMetricFamily(
        "causerie_waiting", "Conversations that wait in a queue.", labels=labels
    )
    places = GaugeMetricFamily("causerie_places", "Places of a queue.", labels=labels)
    oldest = GaugeMetricFamily(
        "causerie_oldest_wait_seconds", "How long the eldest of a queue has waited.", labels=labels
    )
    now = database_now()
    rows = Conversation.objects.waiting().order_by().values_list("queue")
    queues = {
        queue: (count, since)
        for queue, count, since in rows.annotate(n=Count("pk"), since=Min("queued_at"))
    }
    steps = RuleStep.objects.order_by("pk")
    for pk, room, *of_queue in steps.values_list(
        "pk", "places", "rule__website__key", "rule__name", "group__name"
    ):
        count, since = queues.get(pk, (0, None))
        waiting.add_metric(of_queue, count)
        places.add_metric(of_queue, room)
        oldest.add_metric(of_queue, (now - since).total_seconds() if since else 0)
    yield from (waiting, places, oldest)


def _conversations() -> Metric:
    family = GaugeMetricFamily(
        "causerie_conversations", "Conversations that are not closed.", labels=["status"]
    )
    rows = Conversation.objects.exclude(status=Status.CLOSED).order_by()
    counts = dict(rows.values_list("status").annotate(n=Count("pk")))
    for status in Status:
        if status != Status.CLOSED:
            family.add_metric([status.value], counts.get(status.value, 0))
    return family


def _sent() -> Iterator[Metric]:
    """What is owed to other systems and to visitors' mailboxes."""
    mails = Mail.objects.filter(status=MailStatus.OWED, due_at__lte=database_now()).count()
    yield _gauge("causerie_mails_due", "E-mails to visitors that are due.", mails)
    deliveries = WebhookDelivery.objects.filter(delivered_at=None, parked_at=None)
    yield _gauge("causerie_webhooks_owed", "Deliveries that webhooks owe.", deliveries.count())


def _checks() -> Metric:
    family = GaugeMetricFamily(
        "causerie_check_ok", "1 for each check of /readyz that is passed.", labels=["check"]
    )
    for check in recent().checks:
        family.add_metric([check.name], check.state == State.OK)
    return family


def _refused() -> Metric:
    family = CounterMetricFamily(
        "causerie_refused_requests",
        "Requests that a rate limit refused, by door and limit. It starts anew with Valkey.",
        labels=["door", "by"],
    )
    for (door, by), count in counters.refused().items():
        family.add_metric([door, by], count)
    return family


def _repairs() -> Iterator[Metric]:
    repairs = Repair.objects.aggregate(count=Count("pk"), last=Max("at"))
    yield CounterMetricFamily(
        "causerie_repairs",
        "Conversations that the sweep had to push. It stays at zero where all is well.",
        value=repairs["count"],
    )
    if repairs["last"] is not None:
        yield _gauge(
            "causerie_last_repair_timestamp_seconds",
            "When the sweep last pushed one.",
            repairs["last"].timestamp(),
        )
