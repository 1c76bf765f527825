"""Nothing is lost, doubled or left undone by any fault of the matrix, and service is back in time.

``make test`` plays five short trials; ``make faults`` plays the whole matrix and writes the table
in docs/reliability.md.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    assert outcome.longest_gap <= fault.bound * SLACK, outcome
