"""The purge of the outbox deletes old completed entries; pending and dead ones stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.tasks import OUTBOX_RETENTION, purge_outbox
from core.events import outbox
from core.models import OutboxEntry

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def entry(**moments: object) -> int:
    return OutboxEntry.objects.create(reaction="somewhere.react", payload={}, **moments).pk


def test_purge_deletes_only_old_completed_entries() -> None:
    now = timezone.now()
    entry(done_at=now - OUTBOX_RETENTION - MINUTE)
    entry(done_at=now - OUTBOX_RETENTION - MINUTE)
    remaining = {
        entry(done_at=now - OUTBOX_RETENTION + MINUTE),
        entry(dead_at=now - 9 * OUTBOX_RETENTION),
        entry(created_at=now - 9 * OUTBOX_RETENTION),
    }
    assert purge_outbox() == 2
    assert set(OutboxEntry.objects.values_list("pk", flat=True)) == remaining
    assert purge_outbox() == 0


def test_purge_deletes_in_batches() -> None:
    long_ago = timezone.now() - 2 * OUTBOX_RETENTION
    for _ in range(5):
        entry(done_at=long_ago)
    assert outbox.purge(before=timezone.now(), batch=2) == 5
