"""Measurements and gauges in the shape of Prometheus' client."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from core.monitoring import measurements, processes
from core.monitoring.measurements import BUCKETS, MICROSECONDS, SUM

GAUGES = {
    "processes": ("causerie_processes", "Running processes, by kind.", "kind"),
    "memory": ("causerie_process_memory_bytes", "Resident memory, by kind of process.", "kind"),
    "requests": ("causerie_http_requests_running", "Requests that are being answered.", ""),
    "event_loop_lag": (
        "causerie_event_loop_lag_seconds",
        "How long the slowest event loop takes to get round to its work.",
        "",
    ),
    "sockets": ("causerie_sockets", "Open sockets, by what they are for.", "kind"),
    "pool_used": ("causerie_pool_used", "Connections to the database in use.", "pool"),
    "pool_max": ("causerie_pool_max", "Connections that the pools may open.", "pool"),
    "pool_waiting": ("causerie_pool_waiting", "Requests that wait for a connection.", "pool"),
}


def counted() -> Iterator[Metric]:
    """Yield the counters and histograms of the installation."""
    fields = measurements.read()
    for metric in measurements.METRICS:
        if metric.is_timed:
            yield _histogram(metric, fields)
            continue
        family = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
        for labels, numbers in measurements.series(fields, metric):
            family.add_metric(labels, numbers[""])
        yield family


def _histogram(metric: measurements.Metric, fields: dict[str, int]) -> Metric:
    family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, numbers in measurements.series(fields, metric):
        total, buckets = 0, []
        for number in range(len(BUCKETS) + 1):
            total += numbers.get(str(number), 0)
            bound = str(BUCKETS[number]) if number < len(BUCKETS) else "+Inf"
            buckets.append((bound, total))
        family.add_metric(labels, buckets, numbers.get(SUM, 0) / MICROSECONDS)
    return family


def gauged() -> Iterator[Metric]:
    """Yield the gauges of all processes together."""
    values = processes.read()
    for gauge, (name, text, label) in GAUGES.items():
        family = GaugeMetricFamily(name, text, labels=[label] if label else [])
        for key, value in sorted(values.items()):
            key_name, _colon, label_value = key.partition(":")
            if key_name == gauge:
                family.add_metric([label_value] if label else [], value)
        yield family
