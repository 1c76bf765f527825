"""docs/reports.md is generated from the registry, and the registry is complete."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from reporting import figures
from reporting.figures.registry import figure, paragraphs_of
from reporting.management.commands import figures_document


def test_the_document_is_up_to_date() -> None:
    text = figures_document.document().read_text(encoding="utf-8")
    assert text == figures_document.fresh(text), "run manage.py figures_document"


def test_a_text_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        figures_document.fresh("# Reports")


def test_every_figure_belongs_to_a_documented_report() -> None:
    assert {one.report for one in figures.FIGURES.values()} <= set(figures_document.TITLES)


def test_every_definition_is_translated_into_french() -> None:
    for one in figures.FIGURES.values():
        with override("fr"):
            french = one.definition
        with override("en"):
            assert not set(one.definition) & set(french), one.name


def test_figures_need_a_definition_and_a_unique_name() -> None:
    def csat() -> None: ...

    with pytest.raises(ValueError, match="no definition"):
        paragraphs_of(csat)
    with pytest.raises(ValueError, match="two figures"):
        figure(report="experience", label="CSAT")(figures.experience.csat)
