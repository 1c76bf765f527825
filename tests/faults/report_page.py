"""The parts of docs/reliability.md that a run writes."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime

from tests.browser.product import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def write(command: str, text: str) -> None:
    """Replace what stands between the marks of ``command``."""
    begin, end = f"<!-- begin: {command} -->\n", f"<!-- end: {command} -->\n"
    before, _, rest = PAGE.read_text().partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(before + begin + text + end + after)


def occasion() -> str:
    """Return when, on what and with which commit this runs."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    return (
        f"Run on {datetime.now(UTC).date().isoformat()}, commit {commit or 'unknown'},"
        f" {os.cpu_count()} cores, Python {platform.python_version()}."
    )
