"""The base of all tests: their own PostgreSQL and Valkey, and settings independent of any .env."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from django.core.management import call_command
from django.utils import translation

# Before anything loads Django: settings are read once.
VAR = Path(tempfile.mkdtemp(prefix="causerie-tests-"))
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "ENV_FILE": os.devnull,
    "VAR": str(VAR),
    "DEMO": "on",
    "DEBUG": "off",
    "SECRET_KEY": "only-for-tests-" * 4,
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1,.example.com",
    "DATABASE_POOL_SIZE": "40",  # races run many threads in one process
    "HOST": "127.0.0.1",
    "RATE_LIMITS": "off",  # tests ask faster than people; those of the limits set their own
}
# How fast an example is generated says nothing about the product; on a busy machine none is fast.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")
_open = ExitStack()

# The longest first; otherwise one process still works when the others have nothing left.
LONG = [
    "test_parts",
    "test_past_lives",
    "test_figures",
    "test_supervisor",
    "test_lives",
    "test_incoming",
    "test_races",
    "test_zones",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(LONG)))


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    from config import engines, translations
    from tests import db_cleanup, seed

    if not hasattr(config, "workerinput"):
        for folder in settings.LOCALE_PATHS:
            translations.compile_all(folder)
    if only_leads(config):
        return
    _open.callback(shutil.rmtree, VAR, ignore_errors=True)
    if seed.create_seed(VAR):
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = engines.DATABASE
    _open.enter_context(
        engines.running(
            VAR, postgres=settings.OWN_POSTGRES, valkey=settings.OWN_VALKEY, forgetful=True
        )
    )
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_USE_FINDERS = False  # each test's client would scan every file again
    db_cleanup.install()


def pytest_collection_finish() -> None:
    """Freeze loaded objects: the garbage collector would scan them hundreds of times."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def only_leads(config: pytest.Config) -> bool:
    """Return whether the tests run in other processes (``-n``), each with engines of its own."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if only_leads(session.config):
        # Otherwise those processes would read the settings before they get here, with our VAR.
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure() -> None:
    _open.close()


@pytest.fixture(autouse=True)
def default_language() -> None:
    """Forget the language of the last request, which Django leaves active in the thread."""
    translation.deactivate()


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[None]:
    """Let a test migrate backwards. Afterwards all apps are migrated, not only the one that the
    test named: going back also unapplies what depends on it in other apps."""
    try:
        yield
    finally:
        call_command("migrate", verbosity=0)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout."""
    return Path(__file__).resolve().parent.parent
