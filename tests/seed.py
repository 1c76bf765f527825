"""What tests begin with, made once and copied: ``python -m tests.seed FOLDER``, then with
``SEED=FOLDER`` the tests.

A data folder with two migrated databases, the demo's and an empty one. To migrate from nothing is
five seconds of a core, and a run of all tests would do it six times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from config import engines

ROOT = Path(__file__).resolve().parent.parent
EMPTY = "untouched"


def main(folder: Path) -> None:
    with engines.running(folder, forgetful=True):
        environment = {
            **os.environ,
            "ENV_FILE": os.devnull,
            "VAR": str(folder),
            "DEMO": "on",
            "DATABASE_URL": engines.database_url(folder),
            "REDIS_URL": engines.redis_url(folder),
        }
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
        address = engines.database_url(folder).replace(f"/{engines.DATABASE}?", "/postgres?")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {EMPTY} TEMPLATE {engines.DATABASE}")
        subprocess.run([*manage, "prepare"], cwd=ROOT, env=environment, check=True)


def sown(folder: Path) -> bool:
    """Put what was made into a data folder that is not there yet; false where nothing was made."""
    seed = os.environ.get("SEED")
    if not seed:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("postgres", "secret"):
        # With owners and modes, which PostgreSQL insists on.
        subprocess.run(["cp", "-a", f"{seed}/{part}", folder], check=True)
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
