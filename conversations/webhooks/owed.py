"""What webhooks owe: the lease of one, its next deliveries in their order, and their results.

A round holds the lease, so the deliveries of a webhook have one sender at a time. Rows are made in
the transaction that moves the place in the change feed: a crash makes none of them twice, and loses
none. A receiver that is away costs at most ``AHEAD`` rows, because the feed itself remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from conversations import feed
from conversations.models import Event, FeedEntry, Message, Webhook, WebhookDelivery
from conversations.models.webhooks import WebhookProgress
from conversations.webhooks import events
from core.db import bulk_sql

LEASE = timedelta(seconds=60)
"""Longer than a round can take: its calls end after ``rounds.ROUND_SECONDS`` and one timeout."""

AHEAD = 1000
READ = 500
BATCH = 200
RETENTION = timedelta(days=30)

# Plain SQL: the two statements that each turn of the sender runs, and the order of deliveries.
WITH_WORK = f"""
    SELECT p.webhook_id, p.failures > 0
    FROM conversations_webhookprogress p JOIN conversations_webhook w ON w.id = p.webhook_id
    WHERE w.is_enabled AND p.paused_at IS NULL AND p.due_at <= now()
    AND (p.leased_until IS NULL OR p.leased_until <= now())
    AND (
        EXISTS (
            SELECT FROM conversations_webhookdelivery d
            WHERE d.webhook_id = p.webhook_id AND d.delivered_at IS NULL AND d.parked_at IS NULL
            AND d.due_at <= now()
        )
        OR EXISTS (
            SELECT FROM conversations_feedentry f
            WHERE (f.position, f.id) > (p.position, p.entry_id) AND f.position < {feed.HORIZON}
        )
    )
    ORDER BY p.due_at, p.webhook_id
"""
# An earlier delivery of the conversation that waits for its next attempt holds the later ones.
DUE = """
    SELECT d.* FROM conversations_webhookdelivery d
    WHERE d.webhook_id = %(webhook)s AND d.delivered_at IS NULL AND d.parked_at IS NULL
    AND d.due_at <= %(at)s
    AND NOT EXISTS (
        SELECT FROM conversations_webhookdelivery e
        WHERE e.webhook_id = d.webhook_id AND e.conversation_id = d.conversation_id
        AND e.delivered_at IS NULL AND e.parked_at IS NULL AND e.id < d.id AND e.due_at > %(at)s
    )
    ORDER BY d.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A webhook with its lease. Results are stored only while the lease is still this one."""

    webhook: Webhook
    progress: WebhookProgress


def with_work() -> list[tuple[int, bool]]:
    """Return the webhooks that have something to send now, and whether each is failing."""
    with connection.cursor() as cursor:
        cursor.execute(WITH_WORK)
        return [(row[0], row[1]) for row in cursor.fetchall()]


@transaction.atomic
def claim(webhook_id: int, *, at: datetime) -> Claimed | None:
    """Take the lease of a webhook; ``None`` if somebody else has it or it may not send now."""
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    mine = WebhookProgress.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        free, webhook_id=webhook_id, webhook__is_enabled=True, paused_at=None, due_at__lte=at
    )
    progress = mine.select_related("webhook__website", "webhook__owner").first()
    if progress is None:
        return None
    progress.leased_until = at + LEASE
    progress.save(update_fields=["leased_until"])
    return Claimed(progress.webhook, progress)


@transaction.atomic
def read_feed(claimed: Claimed, *, at: datetime) -> bool:
    """Turn the next entries of the change feed into deliveries, unless many are owed already;
    return whether more entries may follow."""
    progress = _held(claimed)
    if progress is None:
        return False
    webhook = claimed.webhook
    undone = WebhookDelivery.objects.filter(webhook=webhook, delivered_at=None, parked_at=None)
    if undone.order_by()[:AHEAD].count() >= AHEAD:
        return False
    cursor = feed.Cursor(progress.position, progress.entry_id)
    try:
        entries = list(feed.after(cursor)[:READ])
    except feed.Expired:
        # What was deleted from the feed cannot be sent any more. The rest is.
        entries = list(feed.after(feed.Cursor())[:READ])
    if not entries:
        return False
    WebhookDelivery.objects.bulk_create(_deliveries(webhook, progress.replay, entries, at))
    last = feed.of(entries[-1])
    progress.position, progress.entry_id = last.position, last.id
    progress.save(update_fields=["position", "entry_id"])
    return len(entries) == READ


def _held(claimed: Claimed) -> WebhookProgress | None:
    """Return the row of the lease, locked, or ``None`` if the lease was lost."""
    return (
        WebhookProgress.objects.select_for_update()
        .filter(pk=claimed.webhook.pk, leased_until=claimed.progress.leased_until)
        .first()
    )


def _deliveries(
    webhook: Webhook, replay: int, entries: Sequence[FeedEntry], at: datetime
) -> list[WebhookDelivery]:
    """Return a delivery for each entry that the webhook has chosen, in the order of the feed."""
    lines = {
        row[0]: (row[1], row[2])
        for row in Event.objects.filter(
            pk__in=[one.event_id for one in entries if one.event_id], website=webhook.website_id
        ).values_list("pk", "verb", "actor_kind")
    }
    messages = set(
        Message.objects.filter(
            pk__in=[one.message_id for one in entries if one.message_id],
            conversation__website=webhook.website_id,
        ).values_list("pk", flat=True)
        if events.MESSAGE in webhook.events
        else ()
    )
    deliveries = []
    for entry in entries:
        if entry.message_id is not None:
            kind = events.MESSAGE if entry.message_id in messages else ""
        else:
            verb, actor = lines.get(entry.event_id or 0, ("", ""))
            kind = events.kind_of_event(verb, actor, webhook.events) if verb else ""
        if kind:
            deliveries.append(
                WebhookDelivery(
                    webhook=webhook,
                    replay=replay,
                    entry_id=entry.pk,
                    conversation_id=entry.conversation_id,
                    event_id=entry.event_id,
                    message_id=entry.message_id,
                    kind=kind,
                    created_at=at,
                    due_at=at,
                )
            )
    return deliveries


def due(claimed: Claimed, *, at: datetime) -> list[WebhookDelivery]:
    """Return the next deliveries, in order; a single one while the receiver is failing."""
    limit = 1 if claimed.progress.failures else BATCH
    values = {"webhook": claimed.webhook.pk, "at": at, "limit": limit}
    return list(WebhookDelivery.objects.raw(DUE, values))


RESULT = frozenset(
    {
        *("attempts", "first_tried_at", "tried_at", "delivered_at", "parked_at", "due_at"),
        *("trouble", "status", "answer", "duration_ms"),
    }
)
STATE = (
    *("due_at", "leased_until", "failures", "failing_since"),
    *("told_at", "paused_at", "pause_reason"),
)


@transaction.atomic
def store(claimed: Claimed, tried: Sequence[WebhookDelivery], *, recovered: bool) -> bool:
    """Store the results of a round and give the lease back; return false if it was lost, and
    another sender makes these deliveries again."""
    if _held(claimed) is None:
        return False
    if tried:
        bulk_sql.update(tried, RESULT)
    if recovered:
        # The receiver is back: nothing waits for the end of its long pause.
        WebhookDelivery.objects.filter(
            webhook=claimed.webhook, delivered_at=None, parked_at=None
        ).update(due_at=timezone.now())
    claimed.progress.leased_until = None
    claimed.progress.save(update_fields=STATE)
    return True


def purge(*, at: datetime) -> int:
    """Delete deliveries that ended, once their log is no longer of use; return how many."""
    ended = Q(delivered_at__isnull=False) | Q(parked_at__isnull=False)
    return WebhookDelivery.objects.filter(ended, created_at__lt=at - RETENTION).delete()[0]
