"""Files in a bucket of a real S3 server: stored, read, moved, and what is said when it fails."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from config.environment import Refused, storage_at
from core import object_storage, stored_files
from core.storage import StorageAway, WholeFiles, is_full
from core.stored_files import Damaged, names
from tests.core import s3_server

NAME = "attachments/1/ab/abc-123/file"
CONTENT = b"some bytes " * 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server.running(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest) -> Any:
    """The bucket, in a folder of this test."""
    return at(f"{server}/{request.node.name.partition('[')[0]}")


def at(address: str) -> Any:
    return storages.create_storage(storage_at(address))


def test_a_file_is_stored_read_and_deleted(bucket: Any) -> None:
    assert bucket.save(NAME, ContentFile(CONTENT)) == NAME
    assert bucket.exists(NAME)
    assert bucket.size(NAME) == len(CONTENT)
    with bucket.open(NAME) as file:
        assert file.read(4) == CONTENT[:4]
        assert file.read() == CONTENT[4:]
    bucket.delete(NAME)
    assert not bucket.exists(NAME)
    with pytest.raises(FileNotFoundError):
        bucket.open(NAME)
    bucket.delete(NAME)  # as on a disk, nothing happens


def test_a_large_file_is_not_held_in_memory(bucket: Any) -> None:
    size = 12 << 20
    bucket.save(NAME, ContentFile(b"x" * size))
    with bucket.open(NAME) as file:
        assert file.file._rolled
        assert len(file.read()) == size


def test_no_address_shows_a_file(bucket: Any) -> None:
    bucket.save(NAME, ContentFile(CONTENT))
    with pytest.raises(NotImplementedError):
        bucket.url(NAME)


@pytest.mark.parametrize(
    ("status", "code"), [(507, "XMinioStorageFull"), (400, "QuotaExceeded"), (507, "")]
)
def test_a_full_bucket_is_a_full_disk(status: int, code: str) -> None:
    with (
        s3_server.answering(status, code) as address,
        pytest.raises(OSError, match=re.escape(f"[Errno {errno.ENOSPC}]")) as raised,
    ):
        at(address).save(NAME, ContentFile(CONTENT))
    assert is_full(raised.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "AccessDenied"), (403, "InvalidAccessKeyId"), (404, "NoSuchBucket"), (503, "SlowDown")],
)
def test_a_bucket_that_refuses_us_is_away(status: int, code: str) -> None:
    with s3_server.answering(status, code) as address:
        storage = at(address)
        with pytest.raises(StorageAway):
            storage.save(NAME, ContentFile(CONTENT))
        with pytest.raises(StorageAway):
            storage.listdir("")


def test_a_server_that_is_down_is_away() -> None:
    with s3_server.answering(200, "") as address:
        pass
    for act in (lambda one: one.open(NAME), lambda one: one.save(NAME, ContentFile(CONTENT))):
        with pytest.raises(StorageAway):
            act(at(address))


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(object_storage, "ANSWER_SECONDS", 0.3)
    with s3_server.answering(200, "", after=5) as address:
        storage = at(address)
        begun = time.monotonic()
        with pytest.raises(StorageAway):
            storage.exists(NAME)
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "value",
    ["s3://host", "s3://key:secret@host/", "ftp://host/bucket", "s3:///bucket", "gs://b/c"],
)
def test_a_wrong_address_is_refused(value: str) -> None:
    with pytest.raises(Refused):
        storage_at(value)


def test_an_address_has_all_its_parts() -> None:
    options = storage_at("s3://k%2Fy:s%40t@s3.example.com:9000/bucket/a/b?region=eu-west-3")
    assert options["OPTIONS"] == {
        "endpoint_url": "https://s3.example.com:9000",
        "access_key": "k/y",
        "secret_key": "s@t",
        "bucket_name": "bucket",
        "location": "a/b",
        "region_name": "eu-west-3",
    }
    assert storage_at("/srv/files")["OPTIONS"] == {"location": "/srv/files"}


# --- Moving


FILES = {NAME: b"one", "exports/2/report.csv": b"two" * 100_000, "emails/3/email.eml": b""}


def filled(folder: Path) -> WholeFiles:
    storage = WholeFiles(location=folder)
    for name, content in FILES.items():
        storage.save(name, ContentFile(content))
    return storage


def contents(storage: Any) -> dict[str, bytes]:
    found = {}
    for name in names(storage):
        with storage.open(name) as file:
            found[name] = file.read()
    return found


def test_everything_moves_there_and_back(bucket: Any, tmp_path: Path) -> None:
    disk = filled(tmp_path / "disk")
    assert stored_files.move(disk, bucket).copied == 3
    assert contents(bucket) == FILES == contents(disk)
    back = WholeFiles(location=tmp_path / "back")
    moved = stored_files.move(bucket, back, delete=True)
    assert (moved.copied, moved.deleted) == (3, 3)
    assert contents(back) == FILES
    assert contents(bucket) == {}


def test_a_move_that_was_stopped_goes_on(bucket: Any, tmp_path: Path) -> None:
    disk = filled(tmp_path / "disk")

    def stop(moved: stored_files.Moved) -> None:
        if moved.copied == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stored_files.move(disk, bucket, tell=stop)
    # One was cut off.
    first = next(names(bucket))
    bucket.save(first, ContentFile(b"cut"))
    moved = stored_files.move(disk, bucket)
    assert (moved.copied, moved.already_there) == (2, 1)
    assert contents(bucket) == FILES


def test_a_copy_that_differs_is_noticed_and_nothing_is_deleted(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = filled(tmp_path / "disk")
    save = type(bucket)._save
    monkeypatch.setattr(
        type(bucket), "_save", lambda self, name, _file: save(self, name, ContentFile(b"other"))
    )
    with pytest.raises(Damaged):
        stored_files.move(disk, bucket, delete=True)
    assert contents(disk) == FILES
    assert contents(bucket) == {}


def test_a_file_that_is_erased_meanwhile_is_no_error(bucket: Any, tmp_path: Path) -> None:
    disk = WholeFiles(location=tmp_path / "disk")
    for name in ("a/1", "a/2", "a/3"):
        disk.save(name, ContentFile(CONTENT))
    moved = stored_files.move(disk, bucket, tell=lambda _moved: disk.delete("a/2"))
    assert (moved.copied, moved.vanished) == (2, 1)


def test_the_command_moves(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(tmp_path / "disk")
    target = f"{server}/by-command"
    call_command("move_files", str(tmp_path / "disk"), target)
    assert capsys.readouterr().out.startswith("3 copied, 0 were there")
    call_command("move_files", str(tmp_path / "disk"), target, "--delete")
    assert capsys.readouterr().out.startswith("0 copied, 3 were there")
    assert contents(at(target)) == FILES
    assert list(names(WholeFiles(location=tmp_path / "disk"))) == []


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    filled(tmp_path / "disk")
    with pytest.raises(CommandError, match="s3://key:secret"):
        call_command("move_files", str(tmp_path / "disk"), "ftp://host/bucket")
    with (
        s3_server.answering(403, "AccessDenied") as address,
        pytest.raises(CommandError, match=r"Stopped: .*Run it again"),
    ):
        call_command("move_files", str(tmp_path / "disk"), address)


def test_a_full_storage_has_the_number_of_a_full_disk() -> None:
    assert is_full(OSError(errno.ENOSPC, "x"))
    assert not is_full(StorageAway("x"))
