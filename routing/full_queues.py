"""Tells webhooks that a queue is full."""

from __future__ import annotations

from datetime import datetime

from conversations.webhooks import alerts
from conversations.webhooks.events import QUEUE_FULL
from routing.models import RuleStep

ONCE_IN_SECONDS = 900
"""A queue that is full again and again is reported once in this time."""


def note(*, step_id: int, places: int, at: str) -> None:
    """Reaction: record the alert for the webhooks of the queue's website."""
    step = RuleStep.objects.select_related("group", "rule").filter(pk=step_id).first()
    if step is None:
        return
    moment = datetime.fromisoformat(at)
    alerts.record(
        step.rule.website_id,
        QUEUE_FULL,
        # All alerts of the same quarter of an hour share a key, and the first one is stored.
        key=f"queue_{step_id}_{int(moment.timestamp()) // ONCE_IN_SECONDS}",
        content={
            "at": at,
            "group": step.group.name,
            "group_id": step.group_id,
            "rule": step.rule.name,
            "rule_id": step.rule_id,
            "places": places,
        },
        at=moment,
    )
