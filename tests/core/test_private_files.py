"""Uploads and mails cannot be read by other users of the machine, whatever the umask was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.core.mail import EmailMessage
from django.core.management import call_command

from core import private_files
from messenger.mail.file_backend import Backend


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Return the modes of a folder and all that is in it."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    return {name: oct(path.lstat().st_mode & 0o777) for name, path in paths.items()} | {
        ".": oct(folder.stat().st_mode & 0o777)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as an earlier version left it."""
    path = tmp_path / "media"
    (path / "a/b").mkdir(parents=True)
    (path / "a/b/file").write_text("personal")
    (path / "note").write_text("personal")
    return path


def test_existing_files_and_folders_become_private(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("not ours")
    (folder / "a/link").symlink_to(outside)
    (folder / "a/dead").symlink_to("nowhere")
    assert private_files.close(folder) == 5
    closed = modes(folder)
    assert {closed[name] for name in (".", "a", "a/b")} == {"0o700"}
    assert {closed[name] for name in ("a/b/file", "note")} == {"0o600"}
    assert oct(outside.stat().st_mode & 0o777) == "0o666"


def test_a_closed_folder_is_not_searched_again(folder: Path) -> None:
    private_files.close(folder)
    (folder / "note").chmod(0o644)
    assert private_files.close(folder) == 0
    assert private_files.close(folder / "missing") == 0


def test_an_interrupted_run_is_completed_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "chmod", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            private_files.close(folder)
    private_files.close(folder)
    assert modes(folder)["a/b/file"] == "0o600"


def test_mails_and_uploads_are_written_closed(settings: Any, tmp_path: Path) -> None:
    settings.MAIL_FOLDER = tmp_path / "new/mail"
    Backend().send_messages([EmailMessage("Hello", "text", "a@example.com", ["b@example.com"])])
    assert {mode for name, mode in modes(settings.MAIL_FOLDER).items() if name != "."} == {"0o600"}
    assert modes(settings.MAIL_FOLDER)["."] == "0o700"

    settings.MEDIA_ROOT = tmp_path / "uploads"
    storage = storages["default"]
    assert isinstance(storage, FileSystemStorage)
    stored = FileSystemStorage(location=settings.MEDIA_ROOT)
    stored.save("attachments/ab/file", ContentFile(b"personal"))
    closed = modes(settings.MEDIA_ROOT)
    assert closed == {
        ".": "0o700",
        "attachments": "0o700",
        "attachments/ab": "0o700",
        "attachments/ab/file": "0o600",
    }


@pytest.mark.django_db
def test_prepare_closes_the_folders_of_earlier_versions(
    settings: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = tmp_path / "mail"
    mails.mkdir()
    (mails / "1@localhost.eml").write_text("To: jeanne@example.com")
    settings.MEDIA_ROOT, settings.MAIL_FOLDER, settings.DEMO = folder, mails, False
    monkeypatch.setattr("config.management.commands.prepare.compile_all", lambda *_: None)
    call_command("prepare")
    assert modes(mails) == {".": "0o700", "1@localhost.eml": "0o600"}
    assert modes(folder)["a/b/file"] == "0o600"
