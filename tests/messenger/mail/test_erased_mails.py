"""Without a mail server, e-mails to visitors are files: an erasure deletes theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from pytest_django import DjangoCaptureOnCommitCallbacks

from conversations.models import Address
from conversations.privacy import personal_data
from messenger.mail.file_backend import Backend
from tests.clock import NOW
from tests.factories import VisitorFactory

pytestmark = pytest.mark.django_db


def test_an_erasure_deletes_only_the_mails_to_the_erased_address(
    tmp_path: Path,
    settings: Any,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.MAIL_FOLDER = tmp_path
    mails = [
        EmailMessage("Answer", "Mirabelle", to=['"Jeanne, Martin" <Jeanne@Example.com>']),
        EmailMessage("Answer", "Mirabelle", to=["jeanne@example.com.example.org"]),
        EmailMessage("Answer", "jeanne@example.com", to=["other@example.com"]),
    ]
    Backend().send_messages(mails)
    visitor = VisitorFactory()
    Address.objects.create(visitor=visitor, email="jeanne@example.com", given_at=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(personal_data.of_visitor(visitor), by=None, at=NOW)
    remaining = {path.read_text().partition("To: ")[2].split()[0] for path in tmp_path.iterdir()}
    assert remaining == {"jeanne@example.com.example.org", "other@example.com"}
