"""Counts of visitors who found room and who did not, by rule and hour, without identifying them
(B21).

Each process counts the pages it answered and writes the counts now and then, because the endpoint
of page views must not wait for the database. If a process is killed, its unwritten counts are lost.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from redis.exceptions import RedisError

ONCE = timedelta(hours=1)

# Plain SQL: an upsert that adds; ``bulk_create`` can only overwrite.
ADD = """
    INSERT INTO routing_hourlydemand
        (rule_id, hour, pages_engaged, pages_refused, messages_refused)
    SELECT id, %(hour)s, %(pages_engaged)s, %(pages_refused)s, %(messages_refused)s
    FROM routing_distributionrule WHERE id = %(rule)s
    ON CONFLICT (rule_id, hour) DO UPDATE SET
        pages_engaged = routing_hourlydemand.pages_engaged + EXCLUDED.pages_engaged,
        pages_refused = routing_hourlydemand.pages_refused + EXCLUDED.pages_refused,
        messages_refused = routing_hourlydemand.messages_refused + EXCLUDED.messages_refused
"""


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def add(
    rule_id: int,
    *,
    at: datetime,
    pages_engaged: int = 0,
    pages_refused: int = 0,
    messages_refused: int = 0,
) -> None:
    """Add to an hour of a rule; do nothing if the rule is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            ADD,
            {
                "rule": rule_id,
                "hour": hour_of(at),
                "pages_engaged": pages_engaged,
                "pages_refused": pages_refused,
                "messages_refused": messages_refused,
            },
        )


def refuse_message(rule_id: int, visitor_id: int, *, at: datetime) -> None:
    """Count a visitor whose first message found no room, once an hour however often they try.

    A cache key that expires remembers it; without the cache they may count twice.
    """
    key = f"refused:{rule_id}:{visitor_id}"
    try:
        is_new = cache.add(key, 1, timeout=int(ONCE.total_seconds()))
    except RedisError:
        # Better one visitor counted twice than none counted.
        is_new = True
    if is_new:
        add(rule_id, at=at, messages_refused=1)


class Pages:
    """What one process has answered to pages and not written yet."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[int, datetime, bool]] = Counter()

    def count(self, rule_id: int, *, is_engaged: bool, at: datetime) -> None:
        """Count the answer to one page."""
        self._counted[(rule_id, hour_of(at), is_engaged)] += 1

    def write(self) -> None:
        """Write the counts. What comes meanwhile is for the next time, as is everything if the
        database fails."""
        # Exchanged before the write, which runs in a thread while pages go on being counted.
        counted, self._counted = self._counted, Counter()
        try:
            with transaction.atomic():
                # Sorted, because other processes upsert the same rows: one order prevents
                # deadlocks.
                for (rule_id, hour, is_engaged), pages in sorted(counted.items()):
                    name = "pages_engaged" if is_engaged else "pages_refused"
                    add(rule_id, at=hour, **{name: pages})
        except DatabaseError:
            self._counted.update(counted)
            raise
