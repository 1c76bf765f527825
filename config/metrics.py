"""``/metrics`` for a monitoring system, in Prometheus' text format.

Every figure is read from the database on request, so that any web process answers for the whole
installation and a restart resets nothing.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from conversations.lifecycle.deadlines import database_now
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from core.models import OutboxEntry
from core.rates import counters
from routing.models import DeskPresence, Repair, RuleStep


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer requests with the token (``METRICS_TOKEN``, as a bearer). If none is set, answer only
    in the demo and with debug pages on: on a developer's own machine."""
    if not may_read(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Figures())
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "no-store"
    return response


def may_read(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return bool(settings.DEBUG or settings.DEMO)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())


class Figures:
    """The figures of routing, each from one statement."""

    def collect(self) -> Iterator[Metric]:
        yield from _queues()
        yield _conversations()
        yield from _repairs()
        yield _refused()
        free = shutil.disk_usage(settings.MEDIA_ROOT).free if settings.MEDIA_ROOT.is_dir() else 0
        yield _gauge("causerie_media_free_bytes", "Room left for files.", free)
        agents = DeskPresence.objects.filter(is_connected=True).count()
        yield _gauge("causerie_agents_connected", "Agents of whom a desk is heard.", agents)
        owed = OutboxEntry.objects.filter(done_at=None)
        entries = owed.aggregate(live=Count("pk", filter=Q(dead_at=None)), dead=Count("dead_at"))
        yield _gauge("causerie_outbox_owed", "Reactions that are owed.", entries["live"])
        yield _gauge("causerie_outbox_dead", "Reactions that were given up.", entries["dead"])
        overdue = Conversation.objects.filter(deadline_at__lte=database_now()).count()
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
