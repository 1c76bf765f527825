"""The version before this one, in a folder of its own, and how it becomes this one."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.browser.product import ROOT

# Written at each release, and since then the code can be upgraded without a stop.
BASELINE = "tools/migrations.json"
MIGRATION = re.compile(r"^\w+/migrations/\d{4}_\w+\.py$")


class NoFormerVersion(Exception):
    """This checkout does not know the version before it; the message says why."""


def commit() -> str:
    """Return the commit of the newest release, or, before the first one, the one that has written
    ``BASELINE``. Raises ``NoFormerVersion``."""
    if not (ROOT / ".git").exists():
        raise NoFormerVersion("this is no checkout of git")
    if _git("rev-parse", "--is-shallow-repository") == "true":
        raise NoFormerVersion("this clone is shallow: git fetch --unshallow --tags")
    released = _git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^")
    if released and _git("ls-tree", "--name-only", released, BASELINE):
        return released
    written = _git("log", "-1", "--format=%H", "--", BASELINE)
    if not written:
        raise NoFormerVersion(f"no commit of this history has {BASELINE}")
    return written


def unpack(name: str, folder: Path) -> None:
    """Write the files of a commit into ``folder``."""
    done = subprocess.run(
        ["git", "archive", "--format=tar", name], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def replace(folder: Path) -> None:
    """Put the files of this version in the place of those in ``folder``, as an upgrade does."""
    listed = _git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    present = {path for path in listed if (ROOT / path).is_file()}
    for old in [path for path in folder.rglob("*") if path.is_file()]:
        name = str(old.relative_to(folder))
        if name not in present and "__pycache__" not in name and not name.endswith(".mo"):
            old.unlink()
    for name in present:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)


def migrations(folder: Path) -> set[str]:
    files = (str(path.relative_to(folder)) for path in folder.glob("*/migrations/*.py"))
    return {name for name in files if MIGRATION.match(name)}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
