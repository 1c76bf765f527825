"""Refuse to build a wheel, with a message that says what to do instead.

Causerie is an application: its settings, templates and translations are beside its packages, so a
wheel of the packages alone would not run.
"""

from __future__ import annotations

from typing import Any, NoReturn

MESSAGE = (
    "Causerie is an application, not a library, and is not built as a wheel. "
    "Run it from a checkout with `make run`, or install what it needs with "
    "`pip install --require-hashes -r requirements/runtime.txt` (docs/operations.md)."
)


def build_wheel(*args: Any, **kwargs: Any) -> NoReturn:
    raise SystemExit(MESSAGE)


build_sdist = build_editable = build_wheel
