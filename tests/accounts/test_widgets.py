"""Checkboxes instead of two lists."""

from __future__ import annotations

from accounts.widgets import CheckboxList


def test_checkboxes_form_a_labelled_group() -> None:
    html = CheckboxList("members", choices=[(1, "Ada"), (2, "<b>")]).render("members", [2])
    assert 'role="group" aria-label="Members"' in html
    assert html.count('type="checkbox"') == 2
    assert html.partition('value="2"')[2].lstrip().startswith("checked")
    assert "&lt;b&gt;" in html


def test_an_empty_list_shows_a_message() -> None:
    assert "There is nothing to choose from yet." in CheckboxList("skills", choices=[]).render(
        "s", []
    )
