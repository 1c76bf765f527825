"""``make faults``: play every fault of the matrix, and write the table of docs/reliability.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests import seed
from tests.browser.product import ROOT
from tests.faults import report_page
from tests.faults.matrix import MATRIX

HEAD = (
    "| fault | struck | messages accepted | seconds without one | 5xx and unanswered | findings |\n"
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="causerie-faults-") as folder:
        report = Path(folder) / "outcomes"
        seed.make(Path(folder) / "seed")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "tests/faults/test_faults.py", *sys.argv[1:]],
            cwd=ROOT,
            env={
                **os.environ,
                "ENV_FILE": os.devnull,
                "DEMO": "on",
                "SEED": f"{folder}/seed",
                "FAULTS_REPORT": str(report),
            },
        )
        outcomes = [json.loads(line) for line in report.read_text().splitlines()]
    if len(outcomes) == len(MATRIX):
        report_page.write("make faults", table(outcomes))
    return done.returncode


def table(outcomes: list[dict[str, Any]]) -> str:
    """Return the last run as Markdown."""
    lines = [report_page.occasion(), "\n\n", HEAD, "| --- " * 6 + "|\n"]
    lines += [_row(outcome) for outcome in outcomes]
    return "".join(lines)


def _row(outcome: dict[str, Any]) -> str:
    failures = ", ".join(f"{count} x {status}" for status, count in outcome["failures"].items())
    cells = [
        outcome["fault"],
        outcome["proof"],
        str(outcome["accepted"]),
        f"{outcome['longest_gap']:.1f}",
        failures or "none",
        str(len(outcome["findings"])) if outcome["findings"] else "none",
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main())
