"""The former version becomes this one while people are at work, and no request fails.

Its processes serve on the migrated database for a while, both versions serve together while the
old processes drain, and the new ones serve before the last migrations are applied.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.browser.product import ROOT
from tests.faults import former_version
from tests.faults.matrix import Fault
from tests.faults.site import Site
from tests.faults.trial import Timing, run

TIMING = Timing(3, 12, 4)
TOGETHER_SECONDS = 4.0
GAP_SECONDS = 10.0  # 1 on a quiet machine


@pytest.fixture
def former(tmp_path: Path) -> Iterator[Site]:
    """The version before this one, running on its own database."""
    try:
        commit = former_version.commit()
    except former_version.NoFormerVersion as reason:
        pytest.skip(str(reason))
    folder, var = tmp_path / "causerie", tmp_path / "var"
    former_version.unpack(commit, folder)
    if former_version.migrations(folder) != former_version.migrations(ROOT):
        var.mkdir()  # It migrates an empty database itself: the seed is too new.
    site = Site(var, folder)
    site.start()
    yield site
    site.stop()


def manage(site: Site, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=site.product.root,
        env=site.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr + site.product.log_tail()


@contextmanager
def upgraded(site: Site) -> Iterator[str]:
    """As docs/operations.md describes it."""
    before: list[psutil.Process] = site.product.web_processes()
    former_version.replace(site.product.root)
    manage(site, "prepare", "--before")
    time.sleep(TOGETHER_SECONDS)
    assert all(one.is_running() for one in before)
    manage(site, "restart")
    assert not any(one.is_running() for one in before)
    time.sleep(TOGETHER_SECONDS)
    manage(site, "prepare")
    yield f"{len(before)} web processes replaced"


def test_an_upgrade_under_load_fails_no_request(former: Site) -> None:
    fault = Fault("An upgrade", upgraded, GAP_SECONDS, is_unnoticed=True)
    outcome = asyncio.run(run(former, fault, TIMING))
    assert outcome.findings == [], outcome
    assert outcome.failures == {}, outcome
    assert outcome.accepted > 0
    assert outcome.longest_gap <= GAP_SECONDS, outcome


def test_the_former_version_is_an_older_one(tmp_path: Path) -> None:
    try:
        commit = former_version.commit()
    except former_version.NoFormerVersion as reason:
        pytest.skip(str(reason))
    former_version.unpack(commit, tmp_path)
    assert (tmp_path / "config" / "child_processes.py").exists()
    (tmp_path / "gone.py").write_text("")
    former_version.replace(tmp_path)
    assert not (tmp_path / "gone.py").exists()
    for name in ("manage.py", "config/settings.py", "tests/faults/test_upgrade.py"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()
