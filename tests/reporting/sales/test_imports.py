"""A shop system's file is read strictly: every error has its line, and nothing is half imported."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting.models import Origin, Transaction
from reporting.sales import imports
from reporting.sales.csv_lines import LINE_LIMIT, Record, records, text_of
from reporting.sales.imports import Imported
from reporting.sales.recording import Invalid
from routing.models import RuleStep
from tests.factories import StepFactory

HEADER = "id,amount,currency,made_at,customer,visitor,refunded"
WELL = "{},10,EUR,2026-03-02T10:00:00+01:00,,,"


@pytest.fixture
def step(db: Any) -> RuleStep:
    return StepFactory(rule__website__time_zone="Europe/Paris")


def read(step: RuleStep, content: bytes | str, **how: Any) -> Imported:
    data = content.encode() if isinstance(content, str) else content
    return imports.read(step.rule.website, text_of(io.BytesIO(data)), at=timezone.now(), **how)


def numbers() -> list[str]:
    return sorted(Transaction.objects.values_list("external_id", flat=True))


def lines(*middle: str, header: str = HEADER, end: str = "\n") -> str:
    return end.join([header, WELL.format("a"), *middle, WELL.format("z"), ""])


FAULTS = {
    "b,10,EUR,2026-03-02,,,": "has no time.",
    "b,10,EUR,2026-03-02T,,,": "not a valid date and time",
    "b,10,EUR,20260302,,,": "not a valid date and time",
    "b,10,EUR,2026-W10-1,,,": "not a valid date and time",
    "b,10,EUR,2026-02-30 10:00,,,": "not a valid date and time",
    "b,10,EUR,2026-03-29 02:30,,,": "the clocks went forward",
    "b,10,EUR,0001-01-01 00:00,,,": "year 2000",
    "b,10,EUR,9999-12-31T23:59:59+00:00,,,": "future",
    'b,"1,200",EUR,2026-03-02 10:00,,,': "not a valid amount",
    'b,"1,200.00",EUR,2026-03-02 10:00,,,': "not a valid amount",
    "b,1.200,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,1'200,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,1e3,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,NaN,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,-1,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,١٢,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,,EUR,2026-03-02 10:00,,,": "not a valid amount",
    "b,99999999999,EUR,2026-03-02 10:00,,,": "amount",
    "b,10,EURO,2026-03-02 10:00,,,": "currency",
    ",10,EUR,2026-03-02 10:00,,,": "number",
    "b,10,EUR,2026-03-02 10:00,,": "6 fields",
    "b,10,EUR,2026-03-02 10:00,,,,": "8 fields",
    "b,10,EUR,2026-03-02 10:00,,not-an-id,": "Messenger",
    "b,10,EUR,2026-03-02 10:00,,,11": "The refund exceeds the amount paid",
    "b,10,EUR,2026-03-02 10:00,c\0,,": "NUL",
    "b\u202e,10,EUR,2026-03-02 10:00,,,": "number",
    '"b,10,EUR,2026-03-02 10:00,,,': "quotation mark",
    'b,"10"x,EUR,2026-03-02 10:00,,,': "quotation mark",
    'b,10,EUR,2026-03-02 10:00,5" lamp,,': "quotation mark",
    "b" * (LINE_LIMIT + 1): "This line is too long",
    "a,11,EUR,2026-03-02T10:00:00+01:00,,,": "already recorded with different data",
}


@pytest.mark.parametrize("line", FAULTS, ids=range(len(FAULTS)))
def test_an_error_names_its_line_and_nothing_is_recorded(step: RuleStep, line: str) -> None:
    done = read(step, lines(line))
    assert [number for number, _why in done.faults] == [3]
    assert FAULTS[line] in done.faults[0][1]
    assert (done.refused, done.is_recorded, numbers()) == (1, False, [])


def test_errors_after_an_unclosed_quote_are_reported(step: RuleStep) -> None:
    bad = ['"b,1', "c,x,EUR,2026-03-02 10:00,,,", "", WELL.format("d"), "e,1,EUR,2026-03-02,,,"]
    done = read(step, lines(*bad))
    assert [number for number, _why in done.faults] == [3, 4, 7]
    assert done.new == 3  # what would have been recorded


def test_a_late_encoding_error_names_its_line(step: RuleStep) -> None:
    good = [WELL.format(n) for n in range(398)]
    content = lines(*good).encode() + "é,10,EUR,2026-03-02 10:00,,,\n".encode("latin-1")
    done = read(step, content)
    assert [(number, "UTF-8" in why) for number, why in done.faults] == [(402, True)]
    assert (numbers(), done.is_recorded) == ([], False)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("beginning", ["", "\ufeff", "\n\n", "\ufeff\r\n"])
def test_line_ends_delimiters_and_a_bom_are_recognized(
    step: RuleStep, end: str, delimiter: str, beginning: str
) -> None:
    content = lines("", ",,,,,,", '"b",1 234.50,eur,2026-03-02 10:00,,,0', end=end)
    done = read(step, beginning + content.replace(",", delimiter))
    assert (done.faults, done.new, done.is_recorded) == ([], 3, True)
    assert numbers() == ["a", "b", "z"]
    assert Transaction.objects.get(external_id="b").origin == Origin.IMPORT


def test_a_line_break_inside_quotes_is_part_of_a_cell(step: RuleStep) -> None:
    content = lines('b,10,EUR,2026-03-02T10:00:00+01:00,,,,"two\nlines"', header=HEADER + ",note")
    done = read(
        step,
        content.replace(WELL.format("a"), WELL.format("a") + ",").replace(
            WELL.format("z"), WELL.format("z") + ","
        ),
    )
    assert (done.faults, done.new, done.unused) == ([], 3, ["note"])


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("", "missing: id, amount, currency, made_at"),
        ("id,amount,currency", "missing: made_at"),
        ("id,amount,currency,made_at,amount", "more than once: amount"),
        ("id,amount,currency,made_at,ID", "more than once: id"),
        ('"id,amount,currency,made_at', "Line 1: A quotation mark"),
        ("id,amount,currency,made_at\0", "Line 1: "),
    ],
)
def test_the_first_line_must_name_each_column_once(step: RuleStep, header: str, error: str) -> None:
    with pytest.raises(Invalid, match=error):
        read(step, header + "\n" + WELL.format("a"))
    assert numbers() == []


def test_a_check_counts_without_recording(step: RuleStep) -> None:
    done = read(step, lines(), only_check=True)
    assert (done.new, done.is_recorded, numbers()) == (2, False, [])
    assert read(step, lines()).is_recorded
    assert numbers() == ["a", "z"]


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0\ufeff"), max_size=6
)


@given(rows=st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_valid_files_are_read_unchanged(rows: list[list[str]]) -> None:
    import csv

    file = io.StringIO(newline="")
    csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows([["id", "x"], *rows])
    lines = list(records(io.StringIO(file.getvalue(), newline="")))
    wanted = [tuple(cell.strip() for cell in row) for row in rows]
    assert [one.cells for one in lines[1:]] == [row for row in wanted if any(row)]
    assert not any(one.fault for one in lines)


@given(content=st.binary(max_size=300) | st.text('",;\n\r a\0', max_size=60).map(str.encode))
@settings(deadline=None)
def test_a_file_of_any_bytes_is_read_to_the_end(content: bytes) -> None:
    lines = list(records(text_of(io.BytesIO(content))))
    assert all(isinstance(one, Record) for one in lines)
    assert [one.number for one in lines] == sorted({one.number for one in lines})
