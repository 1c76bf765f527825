"""Rows inserted with cached SQL are the same as Django's own."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from conversations.models import Visitor
from core.db import bulk_sql
from tests.clock import NOW
from tests.factories import WebsiteFactory

pytestmark = pytest.mark.django_db


def test_an_added_row_knows_its_key_and_can_be_saved_again() -> None:
    website = WebsiteFactory()
    visitor = Visitor(website=website, token_hash="a" * 64, language="fr", created_at=NOW)
    bulk_sql.add(visitor)
    assert visitor.pk is not None
    visitor.name = "Jeanne"
    visitor.save()  # an UPDATE: it is not taken for a new row
    stored = Visitor.objects.get()
    assert (stored.pk, stored.name, stored.public_id) == (visitor.pk, "Jeanne", visitor.public_id)
    assert stored.created_at == NOW


def test_a_refused_row_raises_as_with_save() -> None:
    website = WebsiteFactory()
    first, again = (
        Visitor(website=website, token_hash="a" * 64, language="fr", created_at=NOW)
        for _ in range(2)
    )
    bulk_sql.add(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_sql.add(again)
    assert again.pk is None
