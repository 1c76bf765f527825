"""The data that tests start with, created once and copied: run ``python -m tests.seed FOLDER``,
then the tests with ``SEED=FOLDER``.

It is a data folder with a migrated, empty database. Migrating from nothing takes twenty seconds of
a core, and a run of all tests would do it six times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from config import engines

ROOT = Path(__file__).resolve().parent.parent


def make(folder: Path) -> None:
    with engines.running(folder, forgetful=True):
        environment = {
            **os.environ,
            "ENV_FILE": os.devnull,
            "VAR": str(folder),
            "DATABASE_URL": engines.database_url(folder),
            "REDIS_URL": engines.redis_url(folder),
        }
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        with psycopg.connect(engines.database_url(folder), autocommit=True) as connection:
            # Stored in the folder. Tests kill processes, but none cuts the power.
            connection.execute("ALTER SYSTEM SET fsync = off")


def create_seed(folder: Path) -> bool:
    """Copy it into a new data folder; return false if there is none."""
    seed = os.environ.get("SEED")
    if not seed:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    # With owners and modes, which PostgreSQL checks.
    subprocess.run(["cp", "-a", f"{seed}/postgres", folder], check=True)
    return True


if __name__ == "__main__":
    make(Path(sys.argv[1]))
