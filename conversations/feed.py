"""The change feed: ledger lines and messages, each exactly once, also to readers that come back.

Ids are handed out before transactions commit, so a reader that continues from the last id would
miss rows that commit later. An entry's position is the number of its transaction, but never less
than that of the conversation's entry before it, so that a conversation is told in its own order.
Readers see only positions below the oldest transaction that still runs: nothing can be added there
any more (docs/adr/0039).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Q, QuerySet
from django.db.models.expressions import RawSQL

from conversations.models import FeedEntry, FeedPurge

RETENTION = timedelta(days=90)
CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})")

# Plain SQL: the ORM does not know what transactions are running.
# Own transactions count as running, so a reader never sees what it has not committed itself.
HORIZON = """
    (SELECT last_value FROM conversations_feed_base)
    + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""
# After a restore into another server, transactions are numbered from the start again.
REBASE = """
    SELECT setval('conversations_feed_base', greatest(
        (SELECT last_value FROM conversations_feed_base),
        (SELECT coalesce(max(position), 0) FROM conversations_feedentry)
    ))
"""


class Malformed(Exception):
    """This is not a cursor of the feed."""


class Expired(Exception):
    """Entries after this cursor have been deleted already."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The place of an entry. A reader continues after the last one that it has handled."""

    position: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.position}.{self.id}"


def parse(text: str) -> Cursor:
    match = CURSOR.fullmatch(text)
    if match is None:
        raise Malformed(text)
    return Cursor(int(match[1]), int(match[2]))


def of(entry: FeedEntry) -> Cursor:
    return Cursor(entry.position, entry.pk)


def after(cursor: Cursor) -> QuerySet[FeedEntry]:
    """Return the entries after ``cursor`` to which nothing can be added any more, in order. Raises
    ``Expired`` if some of them were deleted."""
    purged = FeedPurge.objects.filter(_later("entry", cursor))
    rows = FeedEntry.objects.filter(
        Q(position__gte=cursor.position),  # Bounds the index scan; the next one alone would not.
        _later("pk", cursor),
        Q(position__lt=RawSQL(HORIZON, [])),
    )
    # A reader that begins at zero asks for whatever is left.
    if cursor != Cursor():
        if purged.exists():
            raise Expired(str(cursor))
        # A purge may commit before the rows are read: then there are none, and the next call
        # raises.
        rows = rows.filter(~Exists(purged))
    return rows.order_by("position", "id")


def _later(column: str, cursor: Cursor) -> Q:
    same = Q(position=cursor.position, **{f"{column}__gt": cursor.id})
    return Q(position__gt=cursor.position) | same


def now() -> Cursor:
    """Return the place from which a reader sees only what happens from now on."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {HORIZON}")
        # The last position that is complete, with an id beyond all of its entries.
        return Cursor(cursor.fetchone()[0] - 1, 10**17)


def rebase() -> None:
    """Continue the positions above the highest one; after a restore into another server."""
    with connection.cursor() as cursor:
        cursor.execute(REBASE)


@transaction.atomic
def purge(*, at: datetime) -> int:
    """Delete the entries whose retention has ended; return how many."""
    old = FeedEntry.objects.filter(created_at__lt=at - RETENTION)
    last = old.order_by("position", "id").last()
    if last is None:
        return 0
    first = {"position": 0, "entry": 0}
    purged, _ = FeedPurge.objects.select_for_update().get_or_create(pk=1, defaults=first)
    if Cursor(purged.position, purged.entry) < of(last):
        purged.position, purged.entry = last.position, last.pk
        purged.save()
    gone = old.filter(~_later("pk", of(last)))
    return gone.delete()[0]
