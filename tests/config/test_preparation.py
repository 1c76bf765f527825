"""``prepare`` is skipped only if nothing on which it depends has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from config import engines, preparation, settings
from tests.factories import WebsiteFactory


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Path:
    """A small checkout that was prepared, on the tests' database."""
    folder = tmp_path / "checkout"
    for name in ("accounts/migrations/0001_initial.py", "locale/fr/django.po", "tests/test_x.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    name = connection.settings_dict["NAME"]
    address = engines.database_url(django_settings.VAR).replace(
        f"/{engines.DATABASE}?", f"/{name}?"
    )
    monkeypatch.setattr(settings, "BASE_DIR", folder)
    monkeypatch.setattr(settings, "DATABASE_URL", address)
    monkeypatch.setattr(preparation, "FILE", tmp_path / "prepared")
    assert not preparation.is_done()
    preparation.record()
    return folder


def _touch(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
        os.utime(path, ns=(1, 1))

    return change


def _lose_a_migration(folder: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            # Not the next number by hand: the sequence would give it away once more.
            "UPDATE django_migrations SET id = nextval(pg_get_serial_sequence("
            "'django_migrations', 'id')) WHERE id = (SELECT max(id) FROM django_migrations)"
        )


@pytest.mark.parametrize(
    "change",
    [
        _touch("accounts/migrations/0001_initial.py"),
        _touch("accounts/migrations/0002_more.py"),
        _touch("locale/fr/django.po"),
        lambda folder: (folder / "locale/fr/django.po").unlink(),
        lambda folder: WebsiteFactory(),
        _lose_a_migration,
    ],
)
def test_a_changed_checkout_is_prepared_again(
    checkout: Path, change: Callable[[Path], object]
) -> None:
    assert preparation.is_done()
    change(checkout)
    assert not preparation.is_done()
    preparation.record()
    assert preparation.is_done()


@pytest.mark.usefixtures("checkout")
def test_a_changed_setting_is_prepared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEMO", False)
    assert not preparation.is_done()


@pytest.mark.parametrize("name", ["tests/test_x.py", "var/log", ".git/HEAD", "a/__pycache__/x.pyc"])
def test_files_without_effect_change_nothing(checkout: Path, name: str) -> None:
    _touch(name)(checkout)
    assert preparation.is_done()
