"""Backups while the product runs, and their restoration into an empty installation.

A backup is a folder with a dump of the database (PostgreSQL's custom format), the folders of files,
and a list of contents, which is written last. The dump comes first: a file is stored before the
message that has it, so every file that the dump names is there, unless it was erased meanwhile.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import engines
from config.version import version
from conversations import feed
from core import private_files, stored_files
from core.storage import WholeFiles

PREFIX = "causerie-"
DUMP, CONTENTS = "database.dump", "backup.json"
MEDIA = "media"
PARTS = (MEDIA, "mail")


class BackupError(Exception):
    """It cannot be made or restored; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The list of contents of a backup."""

    version: str
    made_at: str
    digest: str
    """SHA-256 of the dump."""
    migrations: list[str]
    secret: str
    """A digest that tells whether an installation has the same ``SECRET_KEY``."""
    files: int
    """How many files there are in the folders."""


def folders() -> dict[str, Path]:
    """Return the folders of files on this machine, by their name in a backup."""
    mail = {"mail": Path(settings.MAIL_FOLDER)}
    return mail if _has_bucket() else {MEDIA: Path(settings.MEDIA_ROOT), **mail}


def back_up(into: Path, *, at: datetime) -> Path:
    """Write a backup below ``into``; return its folder. Until it is complete, it has another name.
    Raises ``BackupError``."""
    name = f"{PREFIX}{at:%Y%m%d-%H%M%S}"
    draft, folder = into / f".{name}", into / name
    if folder.exists():
        raise BackupError(f"{folder} exists already")
    try:
        private_files.open_folder(into)
        shutil.rmtree(draft, ignore_errors=True)
        private_files.open_folder(draft)
        applied = MigrationRecorder(connection).applied_migrations()
        dump = draft / DUMP
        _run("pg_dump", "--format=custom", f"--file={dump}")
        dump.chmod(private_files.FILE)
        count = sum(_copy(source, draft / part) for part, source in folders().items())
        count += _fetch(draft / MEDIA)
        contents = Contents(
            version=version(),
            made_at=at.isoformat(),
            digest=_digest(dump),
            migrations=sorted(".".join(key) for key in applied),
            secret=_secret_digest(),
            files=count,
        )
        private_files.write(draft / CONTENTS, json.dumps(asdict(contents), indent=1).encode())
        draft.rename(folder)
    except OSError as error:
        raise BackupError(_reason(error)) from None
    return folder


def drop_old(into: Path, *, keep: int) -> list[Path]:
    """Delete all complete backups below ``into`` but the last ``keep``; return which."""
    complete = sorted(folder.parent for folder in into.glob(f"{PREFIX}*/{CONTENTS}"))
    old = complete[: max(len(complete) - keep, 0)]
    for folder in old:
        shutil.rmtree(folder)
    return old


def restore(folder: Path) -> Contents:
    """Restore a backup into an empty database and the folders of files. Raises ``BackupError``;
    then nothing was changed in the database."""
    contents = _read(folder)
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    if unknown := sorted({*contents.migrations} - known):
        raise BackupError(
            f"the backup comes from another version, {contents.version}: this one does not know "
            f"{', '.join(unknown[:3])}"
        )
    if _has_tables():
        raise BackupError("the database is not empty; a backup is restored into an empty one")
    try:
        for part, target in folders().items():
            _copy(folder / part, target)
        _store(folder / MEDIA)
    except OSError as error:
        raise BackupError(_reason(error)) from None
    # Last: with tables, it could not be tried again.
    _run(
        *("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"),
        str(folder / DUMP),
    )
    # Positions are made of transaction ids, and those of another server may be lower.
    feed.rebase()
    return contents


def has_same_secret(contents: Contents) -> bool:
    """Return whether this installation can read the secrets in the backup."""
    return hmac.compare_digest(contents.secret, _secret_digest())


def _read(folder: Path) -> Contents:
    try:
        contents = Contents(**json.loads((folder / CONTENTS).read_text()))
        digest = _digest(folder / DUMP)
    except (OSError, ValueError, TypeError):
        raise BackupError(f"{folder} is not a complete backup") from None
    if digest != contents.digest:
        raise BackupError(f"{folder / DUMP} was damaged or changed after the backup")
    if sum(1 for part in PARTS for _file in _files(folder / part)) < contents.files:
        raise BackupError(f"files are missing in {folder}")
    return contents


def _has_tables() -> bool:
    return bool(connection.introspection.table_names())


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on our database. The password is not among its arguments, which
    every user of the machine may read."""
    address: dict[str, Any] = conninfo_to_dict(settings.DATABASE_URL)
    password = address.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    try:
        path = engines.program(program)
    except engines.EngineError as error:
        raise BackupError(str(error)) from None
    done = subprocess.run(
        [path, f"--dbname={make_conninfo(**address)}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise BackupError(f"{program} failed: {lines[0]}")


def _copy(source: Path, target: Path) -> int:
    """Copy the files below ``source``; return how many. One that is deleted meanwhile is left
    out."""
    count = 0
    for file in _files(source):
        copied = target / file.relative_to(source)
        # From the top: only the last folder of a path would be closed to others.
        for folder in reversed(copied.relative_to(target).parents):
            private_files.open_folder(target / folder)
        with suppress(FileNotFoundError):
            shutil.copy2(file, copied)
            copied.chmod(private_files.FILE)
            count += 1
    return count


def _has_bucket() -> bool:
    """Return whether stored files are elsewhere than on this machine's disk."""
    return not isinstance(default_storage, FileSystemStorage)


def _fetch(target: Path) -> int:
    """Copy the files of a bucket into a folder; return how many."""
    if not _has_bucket():
        return 0
    disk = _disk(target)
    moved = stored_files.move(default_storage, disk)
    return moved.copied + moved.already_there


def _store(source: Path) -> None:
    """Copy the files of a backup into the bucket."""
    if _has_bucket() and source.is_dir():
        stored_files.move(_disk(source), default_storage)


def _disk(folder: Path) -> WholeFiles:
    private_files.open_folder(folder)
    return WholeFiles(location=folder)


def _reason(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.strerror else str(error)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder; links are not followed."""
    for place, _folders, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if file.is_file() and not file.is_symlink():
                yield file


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _secret_digest() -> str:
    return hmac.new(settings.SECRET_KEY.encode(), b"causerie.backup", "sha256").hexdigest()
