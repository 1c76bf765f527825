"""Alerts: what is told to webhooks and is no line of the ledger. Numbers and names, no words of
visitors."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from conversations.models import Survey, Webhook, WebhookDelivery
from conversations.webhooks.events import LOW_RATING

LOW = 2


def record(
    website_id: int,
    kind: str,
    *,
    key: str,
    content: dict[str, Any],
    at: datetime,
    conversation_id: int | None = None,
) -> int:
    """Owe an alert to each webhook of a website that has chosen it; return how many there are. The
    same ``key`` counts once."""
    webhooks = Webhook.objects.filter(website=website_id, events__contains=[kind], is_enabled=True)
    rows = [
        WebhookDelivery(
            webhook=webhook,
            conversation_id=conversation_id,
            alert=content,
            alert_key=key,
            kind=kind,
            created_at=at,
            due_at=at,
        )
        for webhook in webhooks
    ]
    # A reaction may run twice: the unique key stores its alert once.
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def note_rating(*, conversation_id: int, website_id: int) -> None:
    """Reaction: record the alert if the visitor's last rating is low."""
    answered = Survey.objects.filter(conversation=conversation_id, answered_at__isnull=False)
    survey = answered.order_by("-answered_at").first()
    if survey is None or survey.csat is None or survey.csat > LOW:
        return
    assert survey.answered_at is not None
    record(
        website_id,
        LOW_RATING,
        key=f"rating_{survey.pk}",
        content={
            "at": survey.answered_at.isoformat(),
            "conversation": conversation_id,
            "csat": survey.csat,
            "nps": survey.nps,
        },
        at=timezone.now(),
        conversation_id=conversation_id,
    )
