"""Outbox entries done some days ago are deleted; owed and dead ones stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.tasks import KEPT, purge_outbox
from core.events import outbox
from core.models import OutboxEntry

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def entry(**moments: object) -> int:
    return OutboxEntry.objects.create(reaction="somewhere.react", payload={}, **moments).pk


def test_only_what_was_done_long_enough_ago_goes() -> None:
    now = timezone.now()
    entry(done_at=now - KEPT - MINUTE)
    entry(done_at=now - KEPT - MINUTE)
    kept = {
        entry(done_at=now - KEPT + MINUTE),
        entry(dead_at=now - 9 * KEPT),
        entry(created_at=now - 9 * KEPT),
    }
    assert purge_outbox() == 2
    assert set(OutboxEntry.objects.values_list("pk", flat=True)) == kept
    assert purge_outbox() == 0


def test_it_goes_in_pieces() -> None:
    long_ago = timezone.now() - 2 * KEPT
    for _ in range(5):
        entry(done_at=long_ago)
    assert outbox.purge(before=timezone.now(), batch=2) == 5
