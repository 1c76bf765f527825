"""The outbox: owed reactions, each run at least once and safe to repeat.

An entry is written in the transaction of the fact. ``deliver`` claims it with an UPDATE that only
one caller wins (a lease of 30 s), runs the reaction and marks it as done. The sweep runs the rest.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Q
from django.db.models.functions import Now

from core import log_context
from core.models import OutboxEntry
from core.monitoring import measurements, tracing

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
ATTEMPTS = 10

# Plain SQL: these run for each durable reaction. CLAIM takes the lease and reads the entry in one
# round trip, and ENQUEUE inserts the entries of all facts at once.
CLAIM = """
    UPDATE conversations_outboxentry
    SET leased_until = now() + %(lease)s, attempts = attempts + 1
    WHERE id = %(id)s AND done_at IS NULL AND dead_at IS NULL
    AND (leased_until IS NULL OR leased_until <= now())
    RETURNING *
"""

ENQUEUE = """
    INSERT INTO conversations_outboxentry (reaction, payload, attempts, last_error, due_at)
    SELECT reaction, payload, 0, '', statement_timestamp() + %s::interval
    FROM unnest(%s::text[], %s::jsonb[]) debt (reaction, payload)
    RETURNING id
"""
DONE = """
    UPDATE conversations_outboxentry SET done_at = statement_timestamp(), leased_until = NULL
    WHERE id = %s
"""

_reactions: dict[str, Callable[..., None]] = {}


def register(reaction: Callable[..., None]) -> str:
    """Register ``reaction`` under its dotted name, which entries store; return the name."""
    name = f"{reaction.__module__}.{reaction.__qualname__}"
    _reactions[name] = reaction
    return name


def enqueue(
    debts: Iterable[tuple[str, dict[str, Any]]], *, delay: timedelta = timedelta()
) -> list[int]:
    """Insert an entry for each (reaction, payload), due after ``delay``; return the entries'
    ids."""
    reactions, payloads = zip(*debts, strict=True)
    stored = [json.dumps(payload) for payload in payloads]
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE, [f"{delay.total_seconds()} s", list(reactions), stored])
        return [row[0] for row in cursor.fetchall()]


def deliver(entry_id: int) -> bool:
    """Run one owed reaction unless another process holds its lease; return whether it succeeded."""
    claimed = OutboxEntry.objects.raw(CLAIM, {"id": entry_id, "lease": LEASE})
    entry = next(iter(claimed), None)
    if entry is None:
        return False
    begun = time.perf_counter()
    with (
        log_context.begun(conversation=str(entry.payload.get("conversation_id", ""))),
        tracing.span(entry.reaction, {"causerie.outbox": entry.pk}),
    ):
        try:
            # A KeyError is a reaction of another version: the entry waits for a process that knows
            # it.
            _reactions[entry.reaction](**entry.payload)
        # Whatever a reaction raises, its entry is retried, and the sweep goes on with the next one.
        except Exception as error:
            _measure(entry, begun, "failed")
            _put_off(entry, error)
            return False
    with connection.cursor() as cursor:
        cursor.execute(DONE, [entry_id])
    _measure(entry, begun, "done")
    return True


def _measure(entry: OutboxEntry, begun: float, outcome: str) -> None:
    # Only names of the code: a reaction of an older version is "other".
    name = entry.reaction if entry.reaction in _reactions else measurements.OTHER
    measurements.count(measurements.REACTIONS, name, outcome)
    measurements.observe(measurements.REACTION_SECONDS, time.perf_counter() - begun, name)


def _put_off(entry: OutboxEntry, error: Exception) -> None:
    """Schedule the next attempt (after 1, 2, 4 ... s, at most 5 minutes), or mark the entry as
    dead after ``ATTEMPTS``."""
    logger.exception("outbox entry %s failed, attempt %s", entry.pk, entry.attempts)
    if isinstance(error, OperationalError):
        # The update below needs a connection that works.
        connection.close_if_unusable_or_obsolete()
    owed = OutboxEntry.objects.filter(pk=entry.pk)
    if entry.attempts >= ATTEMPTS:
        owed.update(dead_at=Now(), leased_until=None, last_error=repr(error))
        return
    # ``attempts`` was raised by the claim: the first failure waits for a second.
    wait = timedelta(seconds=min(2 ** (entry.attempts - 1), 300))
    owed.update(due_at=Now() + wait, leased_until=None, last_error=repr(error))


def purge(*, before: datetime, batch: int = 10_000) -> int:
    """Delete the entries done before a moment; return how many. Owed and dead entries stay, so
    that somebody can look at them."""
    gone = 0
    # In batches, so that no transaction holds many rows for long.
    done = OutboxEntry.objects.filter(done_at__lt=before).order_by()
    while some := list(done.values_list("pk", flat=True)[:batch]):
        gone += OutboxEntry.objects.filter(pk__in=some).delete()[0]
    return gone


def deliver_due(limit: int = 500) -> int:
    """Run the entries that are due; return how many succeeded. Any number of processes may do so at
    the same time."""
    due = OutboxEntry.objects.filter(
        Q(leased_until=None) | Q(leased_until__lte=Now()),
        done_at=None,
        dead_at=None,
        due_at__lte=Now(),
    ).order_by("due_at")
    return sum(deliver(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))
