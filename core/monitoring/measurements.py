"""What all processes count and time, summed up in Valkey, so that any of them can report it.

Counting adds to a number of this process; a thread sends what was added every two seconds. Labels
come from the code (names of views, tasks, facts), never from a request: the number of series is
bounded, and ``SERIES`` holds where somebody forgets it. While Valkey is away, the numbers wait.
"""

from __future__ import annotations

import logging
import os
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.monitoring import processes, valkey

logger = logging.getLogger(__name__)

COUNTS = f"{valkey.PREFIX}:counts"
EVERY_SECONDS = 2.0
SERIES = 1000
"""Of one metric in one process; what comes after is counted as ``OTHER``."""
OTHER = "other"
SEPARATOR = "\x1f"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; what takes longer is in one bucket more."""
MICROSECONDS = 1_000_000
SUM = "sum"


@dataclass(frozen=True, slots=True)
class Metric:
    """A counter, or with ``is_timed`` a histogram of seconds."""

    name: str
    text: str
    labels: tuple[str, ...]
    is_timed: bool = False


REQUESTS = Metric(
    "causerie_http_requests",
    "Answered requests, by view, method and class of status.",
    ("view", "method", "status"),
)
REQUEST_SECONDS = Metric(
    "causerie_http_request_seconds", "How long requests took.", ("view",), is_timed=True
)
TASKS = Metric("causerie_tasks", "Tasks that workers ended, by outcome.", ("task", "outcome"))
TASK_SECONDS = Metric("causerie_task_seconds", "How long tasks took.", ("task",), is_timed=True)
REACTIONS = Metric(
    "causerie_reactions",
    "Attempts at reactions of the outbox, by outcome.",
    ("reaction", "outcome"),
)
REACTION_SECONDS = Metric(
    "causerie_reaction_seconds", "How long they took.", ("reaction",), is_timed=True
)
FACTS = Metric("causerie_facts", "What happened and was shown on screens, by fact.", ("fact",))
METRICS = (
    *(REQUESTS, REQUEST_SECONDS, TASKS, TASK_SECONDS),
    *(REACTIONS, REACTION_SECONDS, FACTS),
)

_lock = threading.Lock()
_added: Counter[str] = Counter()
_known: dict[str, set[tuple[str, ...]]] = {}
_senders: list[threading.Thread] = []


def count(metric: Metric, *labels: str) -> None:
    """Add one to a counter."""
    with _lock:
        _added[SEPARATOR.join((metric.name, *_bounded(metric, labels)))] += 1
    _start()


def observe(metric: Metric, seconds: float, *labels: str) -> None:
    """Add a duration to a histogram."""
    bucket = bisect_left(BUCKETS, seconds)
    with _lock:
        series = SEPARATOR.join((metric.name, *_bounded(metric, labels)))
        _added[f"{series}{SEPARATOR}{bucket}"] += 1
        _added[f"{series}{SEPARATOR}{SUM}"] += round(seconds * MICROSECONDS)
    _start()


def _bounded(metric: Metric, labels: tuple[str, ...]) -> tuple[str, ...]:
    known = _known.setdefault(metric.name, set())
    if labels in known:
        return labels
    if len(known) >= SERIES:
        return (OTHER,) * len(labels)
    known.add(labels)
    return labels


def send() -> None:
    """Send what was added since the last time, and the gauges of this process."""
    with _lock:
        added = dict(_added)
        _added.clear()
    try:
        pipe = valkey.connection().pipeline(transaction=False)
        for field, amount in added.items():
            pipe.hincrby(COUNTS, field, amount)
        processes.report(pipe)
        pipe.execute()
    except valkey.UNREACHABLE as error:
        with _lock:
            # This adds to what was counted meanwhile: ``_added`` is a Counter.
            _added.update(added)
        logger.debug("measurements wait for Valkey: %s", error)


def read() -> dict[str, int]:
    """Return all numbers of the installation by their field. Raise what redis-py raises if Valkey
    does not answer."""
    fields: Any = valkey.connection().hgetall(COUNTS)
    return {field.decode(): int(number) for field, number in fields.items()}


def series(fields: dict[str, int], metric: Metric) -> Iterator[tuple[list[str], dict[str, int]]]:
    """Yield the labels of each series of a metric with its numbers: by bucket, or under ""."""
    found: dict[tuple[str, ...], dict[str, int]] = {}
    width = 1 + len(metric.labels)
    for field, number in fields.items():
        name, *rest = field.split(SEPARATOR)
        # A version before this one may have had other labels.
        if name == metric.name and len(rest) == len(metric.labels) + metric.is_timed:
            part = rest[-1] if metric.is_timed else ""
            found.setdefault(tuple(rest[: width - 1]), {})[part] = number
    for labels in sorted(found):
        yield list(labels), found[labels]


def _start() -> None:
    """Start the thread that sends, once for each process."""
    if _senders:
        return
    with _lock:
        if _senders:
            return  # Another thread was faster.
        _senders.append(threading.Thread(target=_run, name="measurements", daemon=True))
    _senders[0].start()


def _run() -> None:
    pause = threading.Event()
    while not pause.wait(EVERY_SECONDS):
        try:
            send()
        except Exception:
            # The thread must outlive whatever a gauge raises.
            logger.exception("could not send measurements")


def _begin_anew() -> None:
    """Forget, in a new fork, what is its parent's to send."""
    global _lock
    # A thread of the parent may hold the old lock; in the fork nobody would ever release it.
    _lock = threading.Lock()
    _senders.clear()
    _added.clear()


os.register_at_fork(after_in_child=_begin_anew)
