"""Each contract of import-linter is broken once, in a copy, and only that contract fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

APPS = ("core", "accounts", "conversations", "routing", "reporting", "messenger", "desk", "config")
ROOMS = "Each room imports only from the rooms below"
FACES = "The desk and the Messenger never import each other"
HOUSE = "No package imports the project configuration"
PURE = "Decisions are pure: they know no framework and no database"


def lint(tree: Path) -> list[str]:
    """Return the names of the broken contracts."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
    )
    broken = [line for line in done.stdout.splitlines() if line.endswith(" BROKEN")]
    assert bool(broken) == bool(done.returncode), done.stdout + done.stderr
    return [line.removesuffix(" BROKEN") for line in broken]


@pytest.fixture(scope="module")
def tree(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(root / "pyproject.toml", copy)
    for app in APPS:
        shutil.copytree(root / app, copy / app, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_all_contracts_are_kept(tree: Path) -> None:
    assert lint(tree) == []


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("accounts/apps.py", "import conversations.apps", ROOMS),
        ("conversations/apps.py", "import routing.apps", ROOMS),
        ("routing/apps.py", "import reporting.apps", ROOMS),
        ("reporting/apps.py", "import desk.apps", ROOMS),
        (
            "conversations/models/engaged.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import routing.models",
            ROOMS,
        ),
        ("desk/apps.py", "import messenger.apps", FACES),
        ("messenger/apps.py", "import desk.apps", FACES),
        ("accounts/apps.py", "import config.logs", HOUSE),
        ("routing/decisions.py", "import django.db", PURE),
        ("conversations/lifecycle/transitions.py", "import django.db", PURE),
    ],
)
def test_a_bad_import_breaks_exactly_its_contract(
    tree: Path, module: str, line: str, broken: str
) -> None:
    file = tree / module
    good = file.read_text()
    file.write_text(f"{good}\n{line}\n")
    try:
        assert lint(tree) == [broken]
    finally:
        file.write_text(good)
