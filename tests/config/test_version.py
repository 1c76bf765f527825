"""The version is written once, and every place that shows it reads it from there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from config.version import version


def test_manage_py_prints_the_product_s_version(root: Path) -> None:
    for argument in ("version", "--version"):
        done = subprocess.run(
            [sys.executable, "manage.py", argument], cwd=root, capture_output=True, text=True
        )
        assert done.stdout.strip() == version(), done.stderr


def test_the_changelog_has_the_version(root: Path) -> None:
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert version() in headings


def test_building_a_wheel_is_refused_with_a_message(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "."],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Run it from a checkout with `make run`" in done.stdout + done.stderr
    assert not list(root.glob("*.whl"))
