"""Files of visitors in a bucket: shown by our views only, and nothing is lost when it fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from config.environment import storage_at
from conversations.messages import attachments
from conversations.models import Attachment
from core import stored_files
from tests.conversations.messages.test_attachments import (  # noqa: F401 - fixtures
    Caller,
    alice,
    conversation,
    media,
    png,
    visitor,
)
from tests.core import s3_server

pytestmark = pytest.mark.django_db(transaction=True)


def use(settings: Any, address: str) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": storage_at(address)}


@pytest.fixture
def bucket(
    tmp_path_factory: pytest.TempPathFactory,
    settings: Any,
    media: Path,  # noqa: F811
) -> Iterator[str]:
    with s3_server.running(tmp_path_factory.mktemp("s3") / "log") as address:
        use(settings, address)
        yield address


def test_both_sides_see_a_file_and_it_goes_with_its_row(
    visitor: Caller,  # noqa: F811
    alice: Caller,  # noqa: F811
    bucket: str,
    media: Path,  # noqa: F811
) -> None:
    attachment = visitor.upload(png(), "cat.png").json["attachment"]
    assert visitor.say(attachment["id"]).status == 201
    assert len(list(stored_files.names(default_storage))) == 2  # and the thumbnail
    assert not [path for path in media.rglob("*") if path.is_file()]
    for reader in (visitor, alice):
        shown = reader.ask("GET", f"attachments/{attachment['id']}/")
        assert (shown.status, shown.headers["content-type"]) == (200, "image/png")
        assert "location" not in shown.headers
        assert "private" in shown.headers["cache-control"]
    unsent = visitor.upload(png()).json["attachment"]["id"]
    attachments.forget(Attachment.objects.get(pk=unsent))
    assert len(list(stored_files.names(default_storage))) == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (507, "XMinioStorageFull", (507, "no_space")),
        (403, "AccessDenied", (503, "unavailable")),
        (500, "InternalError", (503, "unavailable")),
    ],
)
def test_a_bucket_that_fails_refuses_files_and_takes_messages(
    visitor: Caller,  # noqa: F811
    bucket: str,
    settings: Any,
    status: int,
    code: str,
    expected: tuple[int, str],
) -> None:
    one = str(uuid.uuid4())
    stored = visitor.upload(png()).json["attachment"]["id"]
    with s3_server.answering(status, code) as address:
        use(settings, address)
        refused = visitor.upload(png(), id=one)
        assert (refused.status, refused.code) == expected
        assert Attachment.objects.count() == 1
        assert visitor.say(None, "Bonjour").status == 201
        assert visitor.ask("GET", f"attachments/{stored}/").status in {503, 507}
    # Down altogether.
    assert visitor.upload(png(), id=one).status == 503
    use(settings, bucket)
    assert visitor.upload(png(), id=one).status == 201
    assert visitor.ask("GET", f"attachments/{stored}/").status == 200
