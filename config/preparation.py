"""Whether ``manage.py prepare`` has anything to do: it takes seconds, often for nothing.

A fingerprint of all that it depends on is stored after each success: our files, the installed
packages, the settings, and which migrations the database has.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psycopg

from config import settings

FILE = settings.VAR / "prepared"
# Neither code nor what is made from it, and large.
SKIPPED = {"var", "node_modules", "tests", "bench", "docs", "__pycache__"}
PREPARED_BY = (
    *("DATABASE_URL", "DEMO", "PRODUCTION", "PUBLIC_URL"),
    *("STATIC_ROOT", "MEDIA_ROOT", "MAIL_FOLDER", "FILE_UPLOAD_TEMP_DIR"),
)
# Plain SQL: Django is not loaded here. A dump restored elsewhere is another database, and the demo
# puts back what somebody has emptied.
STATE = """
    SELECT (SELECT oid FROM pg_database WHERE datname = current_database()),
      (SELECT count(*) FROM django_migrations), (SELECT max(id) FROM django_migrations),
      EXISTS (SELECT FROM accounts_website)
"""


def is_done() -> bool:
    """Return whether nothing has changed since ``record``."""
    try:
        stored = FILE.read_text()
    except OSError:
        return False
    return stored == fingerprint()


def record() -> None:
    """Remember that ``prepare`` has succeeded with what is there now."""
    FILE.write_text(fingerprint())


def fingerprint() -> str:
    """Return a digest of everything on which the result of ``prepare`` depends."""
    digest = hashlib.sha256()
    for part in (*_files(settings.BASE_DIR), *_packages(), *_settings(), *_database()):
        digest.update(f"{part}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    """Yield path, time and size of each of our files, in order."""
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.name.startswith(".") or entry.name in SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif not entry.name.endswith((".mo", ".pyc")):
            stat = entry.stat()
            yield f"{entry.path} {stat.st_mtime_ns} {stat.st_size}"


def _packages() -> Iterator[str]:
    """Yield the installed packages with their versions, as the names of their metadata."""
    yield from sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def _settings() -> Iterator[str]:
    for name in PREPARED_BY:
        yield f"{name} {getattr(settings, name)}"


def _database() -> Iterator[str]:
    """Yield what tells this database from another, and from itself before or after a migration."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        try:
            yield str(connection.execute(STATE).fetchone())
        except psycopg.errors.UndefinedTable:
            yield "empty"
