"""The product's version, read from ``pyproject.toml``, the only place where it is written."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


@cache
def version() -> str:
    """Return the version, such as ``0.2.0``."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return str(project["version"])
