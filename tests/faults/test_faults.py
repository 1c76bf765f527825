"""Nothing is lost, doubled or left undone by any fault of the matrix, and service is back in time.

``make test`` plays five short trials; ``make faults`` plays the whole matrix and writes the table
in docs/reliability.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from config import engines
from tests.browser.product import ROOT
from tests.faults.matrix import MATRIX, Fault
from tests.faults.site import Site
from tests.faults.trial import Timing, run

REPORT = os.environ.get("FAULTS_REPORT", "")
CHOSEN = MATRIX if REPORT else [fault for fault in MATRIX if fault.is_smoke]
TIMING = Timing(8, 8, 9) if REPORT else Timing(2, 3, 5)
SLACK = 1.0 if REPORT else 5.0  # ``make test`` runs on busy machines, too


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("faults") / "var")
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("fault", CHOSEN, ids=lambda fault: fault.name)
def test_nothing_is_lost(site: Site, fault: Fault) -> None:
    outcome = asyncio.run(run(site, fault, TIMING))
    if REPORT:
        with Path(REPORT).open("a") as report:
            report.write(json.dumps(outcome.as_dict()) + "\n")
    assert outcome.findings == [], outcome
    assert outcome.accepted > 0
    assert "500" not in outcome.failures, outcome
    assert not (fault.is_unnoticed and outcome.failures), outcome
    assert outcome.longest_gap <= fault.bound * SLACK, outcome


@contextmanager
def backup_made(site: Site, into: Path) -> Iterator[str]:
    """No fault, but what must not be one: a backup in the midst of the load."""
    manage(site.environment(), "backup", str(into))
    (made,) = into.iterdir()
    yield made.name


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_backup_made_under_load_is_complete_elsewhere(site: Site, tmp_path: Path) -> None:
    backup = Fault("A backup", partial(backup_made, into=tmp_path / "backups"), 2)
    outcome = asyncio.run(run(site, backup, TIMING))
    assert outcome.findings == []
    var = tmp_path / "elsewhere"
    with engines.running(var):
        environment = site.environment() | {
            "VAR": str(var),
            "DATABASE_URL": engines.database_url(var),
            "REDIS_URL": engines.redis_url(var),
        }
        told = manage(environment, "restore", str(tmp_path / "backups" / outcome.proof))
        assert "Restored the backup of" in told
        manage(environment, "check_invariants")
        manage(environment, "verify_ledger")
        count = "SELECT count(*) FROM conversations_message"
        with psycopg.connect(engines.database_url(var)) as restored, site.database() as present:
            (before,) = restored.execute(count).fetchone() or (0,)
            (after,) = present.execute(count).fetchone() or (0,)
    assert 0 < before < after
