"""Stored reasons of refused replies are reworded with the code, so that they stay translated."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.utils import timezone, translation

from messenger.models import Reply, ReplyOutcome

wording = import_module("messenger.migrations.0003_wording")


@pytest.mark.django_db
def test_stored_reasons_match_a_text_of_the_code() -> None:
    for number, reason in enumerate([*wording.REWORDED, "the visitor is blocked"]):
        Reply.objects.create(
            message_id=str(number),
            outcome=ReplyOutcome.IGNORED,
            reason=reason,
            received_at=timezone.now(),
        )
    wording.reword(Reply.objects, wording.REWORDED)
    reasons = set(Reply.objects.values_list("reason", flat=True))
    assert reasons == {*wording.REWORDED.values(), "the visitor is blocked"}
    with translation.override("fr"):
        untranslated = [reason for reason in reasons if translation.gettext(reason) == reason]
    assert untranslated == []
