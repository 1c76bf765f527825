"""What is not a whole backup, or does not fit, is refused in one line before anything changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from config import backups, engines
from config.backups import BackupError
from config.environment import storage_at
from tests.clock import NOW
from tests.core import s3_server
from tests.factories import WebsiteFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backup(tmp_path: Path, settings: Any) -> Path:
    """A backup of the tests' database, with two files."""
    name = connection.settings_dict["NAME"]
    address = engines.database_url(django_settings.VAR)
    settings.DATABASE_URL = address.replace(f"/{engines.DATABASE}?", f"/{name}?")
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MAIL_FOLDER = tmp_path / "mail"
    for path in ("media/attachments/a", "mail/b"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "media/link").symlink_to("/etc/hostname")
    WebsiteFactory()
    return backups.back_up(tmp_path / "backups", at=NOW)


def change(backup: Path, **values: object) -> None:
    contents = json.loads((backup / "backup.json").read_text())
    (backup / "backup.json").write_text(json.dumps(contents | values))


def _cut_the_dump(backup: Path) -> None:
    dump = backup / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda backup: (backup / "backup.json").unlink(), "is not a complete backup"),
        (lambda backup: (backup / "backup.json").write_text("{"), "is not a complete backup"),
        (lambda backup: change(backup, more=1), "is not a complete backup"),
        (lambda backup: (backup / "database.dump").unlink(), "is not a complete backup"),
        (_cut_the_dump, "was damaged or changed"),
        (lambda backup: (backup / "media/attachments/a").unlink(), "files are missing"),
        (lambda backup: change(backup, migrations=["routing.9999_later"]), "does not know"),
        (lambda backup: None, "the database is not empty"),
    ],
)
def test_what_does_not_fit_is_refused(
    backup: Path, spoil: Callable[[Path], object], why: str
) -> None:
    spoil(backup)
    with pytest.raises(BackupError, match=why) as refused:
        backups.restore(backup)
    assert "\n" not in str(refused.value)


def test_nobody_else_may_read_it_and_links_are_left_out(backup: Path) -> None:
    paths = [backup, *backup.rglob("*")]
    assert {path.name for path in paths} >= {"database.dump", "backup.json", "a", "b"}
    assert not [path for path in paths if path.stat().st_mode & 0o077]
    assert not (backup / "media/link").exists()
    assert backup.name == f"causerie-{NOW:%Y%m%d-%H%M%S}"


def test_the_secret_is_not_in_it_but_its_change_is_noticed(backup: Path, settings: Any) -> None:
    contents = backups._read(backup)
    assert backups.has_same_secret(contents)
    assert settings.SECRET_KEY not in (backup / "backup.json").read_text()
    settings.SECRET_KEY = "another"
    assert not backups.has_same_secret(contents)


def test_a_failure_leaves_nothing_that_looks_like_a_backup(
    backup: Path, settings: Any, tmp_path: Path
) -> None:
    settings.DATABASE_URL = "postgresql://nobody:hidden@127.0.0.1:1/nothing"
    with pytest.raises(CommandError, match="pg_dump failed") as refused:
        call_command("backup", str(tmp_path / "others"))
    assert "hidden" not in str(refused.value)
    assert backups.drop_old(tmp_path / "others", keep=1) == []
    assert not list((tmp_path / "others").glob("causerie-*"))


def test_old_ones_are_deleted_and_nothing_else(backup: Path) -> None:
    into = backup.parent
    later = [backups.back_up(into, at=NOW + timedelta(hours=n)) for n in (1, 2)]
    (into / "causerie-notes").mkdir()
    with pytest.raises(CommandError, match="at least 1"):
        call_command("backup", str(into), keep=0)
    assert backups.drop_old(into, keep=2) == [backup]
    assert sorted(path.name for path in into.iterdir()) == sorted(
        ["causerie-notes", *(one.name for one in later)]
    )


def test_files_in_a_bucket_are_part_of_it(settings: Any, tmp_path: Path) -> None:
    """They come out of one bucket, and go back into another or onto a disk."""
    name = connection.settings_dict["NAME"]
    address = engines.database_url(django_settings.VAR)
    settings.DATABASE_URL = address.replace(f"/{engines.DATABASE}?", f"/{name}?")
    settings.MAIL_FOLDER = tmp_path / "mail"
    settings.MEDIA_ROOT = tmp_path / "unused"
    with s3_server.running(tmp_path / "log") as server:
        settings.STORAGES = {**settings.STORAGES, "default": storage_at(f"{server}/one")}
        default_storage.save("attachments/1/file", ContentFile(b"words"))
        made = backups.back_up(tmp_path / "backups", at=NOW)
        assert (made / "media/attachments/1/file").read_bytes() == b"words"
        assert backups._read(made).files == 1
        assert not [path for path in made.rglob("*") if path.stat().st_mode & 0o077]

        settings.STORAGES = {**settings.STORAGES, "default": storage_at(f"{server}/two")}
        assert not default_storage.exists("attachments/1/file")
        backups._store(made / "media")
        with default_storage.open("attachments/1/file") as file:
            assert file.read() == b"words"
    with pytest.raises(BackupError, match="Could not connect"):
        backups.back_up(tmp_path / "others", at=NOW)
    assert not list((tmp_path / "others").glob("causerie-*"))
