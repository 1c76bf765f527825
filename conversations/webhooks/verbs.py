"""What administrators do with webhooks: make, rotate, resume, replay, test, send again."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from conversations import feed
from conversations.models import (
    FeedEntry,
    Webhook,
    WebhookDelivery,
    WebhookFormat,
    WebhookProgress,
)
from conversations.webhooks import events, signing
from core import outside_calls, outside_servers


def check_url(url: str) -> None:
    """Raise ``ValidationError`` if the address may not be called (N8)."""
    try:
        outside_calls.check(url, allowed=settings.PRIVATE_SERVERS)
    except outside_servers.Forbidden:
        raise ValidationError(
            _("This address cannot be called. Use a public server on the standard port.")
        ) from None


def check_events(chosen: list[str], *, format: str) -> None:
    """Raise ``ValidationError`` if an event is unknown, or none that this format can carry."""
    unknown = [name for name in chosen if name not in events.NAMES]
    if unknown:
        raise ValidationError(_("There is no event %(name)s.") % {"name": unknown[0]})
    if format != WebhookFormat.STANDARD and not set(chosen) <= set(events.ALERTS):
        raise ValidationError(_("Slack and Teams receive alerts only. Deselect the other events."))


@transaction.atomic
def create(webhook: Webhook, *, at: datetime) -> str:
    """Store a new webhook, which sends what happens from now on; return its secret."""
    secret = signing.new_secret()
    webhook.secret, webhook.created_at = secret, at
    webhook.save()
    start = feed.now()
    WebhookProgress.objects.create(
        webhook=webhook, position=start.position, entry_id=start.id, due_at=at
    )
    return secret


@transaction.atomic
def rotate(webhook: Webhook, *, at: datetime) -> str:
    """Replace the secret and return the new one. The former one still signs, too, for a day."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    secret = signing.new_secret()
    row.previous_secret, row.previous_until = row.secret, at + signing.OVERLAP
    row.secret = secret
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    return secret


def resume(webhooks: QuerySet[Webhook], *, at: datetime) -> int:
    """Send to paused or failing webhooks at once, from where they stopped; return how many."""
    states = WebhookProgress.objects.filter(webhook__in=webhooks)
    return states.update(
        paused_at=None, pause_reason="", failures=0, failing_since=None, told_at=None, due_at=at
    )


@transaction.atomic
def replay(webhook: Webhook, *, since: datetime) -> None:
    """Send everything since a moment again, with the ids it had. What is owed is sent, too."""
    progress = WebhookProgress.objects.select_for_update().get(webhook=webhook)
    later = FeedEntry.objects.filter(created_at__gte=since).order_by("position", "id")
    first = later.first()
    if first is None:
        return
    progress.position, progress.entry_id = first.position, first.pk - 1
    progress.replay += 1
    progress.save(update_fields=["position", "entry_id", "replay"])


def test(webhook: Webhook, *, at: datetime) -> WebhookDelivery:
    """Owe a test event, whatever events the webhook has chosen."""
    return WebhookDelivery.objects.create(
        webhook=webhook,
        alert={"at": at.isoformat()},
        alert_key=f"test_{secrets.token_hex(8)}",
        kind=events.TEST,
        created_at=at,
        due_at=at,
    )


def send_again(deliveries: QuerySet[WebhookDelivery], *, at: datetime) -> list[WebhookDelivery]:
    """Owe ended deliveries once more, after all others, with the ids they had."""
    again = []
    for one in deliveries.exclude(delivered_at=None, parked_at=None).order_by("pk"):
        again.append(
            WebhookDelivery(
                webhook_id=one.webhook_id,
                replay=one.replay,
                is_repeat=True,
                entry_id=one.entry_id,
                conversation_id=one.conversation_id,
                event_id=one.event_id,
                message_id=one.message_id,
                alert=one.alert,
                alert_key=one.alert_key,
                kind=one.kind,
                created_at=at,
                due_at=at,
            )
        )
    return WebhookDelivery.objects.bulk_create(again)
