"""A page has a plain name, and a fragment of pages a name that begins with an underscore."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
# Django's administration looks for these names.
GIVEN = {
    "admin/change_form_object_tools.html",
    "admin/edit_inline/tabular.html",
    "admin/nav_sidebar.html",
    "admin/submit_line.html",
}
IS_WHOLE = re.compile(r"<html|\{% extends ")


def test_only_fragments_begin_with_an_underscore() -> None:
    names = {str(path.relative_to(TEMPLATES)): path for path in TEMPLATES.rglob("*.html")}
    wrong = {
        name
        for name, path in names.items()
        if name not in GIVEN
        and path.name.startswith("_") is bool(IS_WHOLE.search(path.read_text("utf-8")))
    }
    assert not wrong


def test_included_templates_are_fragments() -> None:
    included = {
        name
        for path in TEMPLATES.rglob("*.*")
        for name in re.findall(r'\{% include "([^"]+)"', path.read_text("utf-8"))
    }
    assert included
    assert {name for name in included - GIVEN if not Path(name).name.startswith("_")} == set()
