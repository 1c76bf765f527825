"""Workbooks, read back by another library: each cell unchanged, and none a formula."""

from __future__ import annotations

import io
import math
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from django.utils.safestring import mark_safe
from openpyxl.utils.escape import unescape

from reporting.exports import workbook
from reporting.exports.workbook import Row

HEADINGS = ["Conversation", "Comment"]


def written(*pieces: list[Row], title: str = "Closed", headings: list[str] = HEADINGS) -> bytes:
    file = io.BytesIO()
    workbook.write(file, pieces, title, headings)
    return file.getvalue()


def opened(book: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(book))


def read(cell: Any) -> Any:
    """Return the value that a reader gets for a single cell."""
    sheet = opened(written([[cell, "end"]])).active
    assert sheet["B2"].value == "end"
    first = sheet["A2"]
    assert first.data_type != "f"
    return first


@pytest.mark.parametrize(
    "text",
    [
        "Merci",
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "http://example.com/?a=1&b=2",
        "mailto:a@b.example",
        "<script>alert(1)</script> & co",
        "]]>",
        "  two before, two after  ",
        "\tfirst\n\nthird\n",
        "👩‍👩‍👧‍👦 \u202edlo\u202c é ﬀ",
        "0012",
        "1e5",
        "TRUE",
        "'",
        '"',
        "_x41_ and x0041_",
        "a" * 32_767,
        "x" * workbook.SHORT + "=",
    ],
)
def test_texts_are_written_unchanged(text: str) -> None:
    cell = read(text)
    assert (cell.value, cell.data_type) == (text, "s")


@pytest.mark.parametrize(
    "text", ["\0", "bell \a", "\x1b[31m", "\ufffe", "\ud800", "_x0041_", "__x0041_"]
)
def test_characters_that_xml_excludes_are_escaped(text: str) -> None:
    assert unescape(read(text).value) == text


def test_leading_and_trailing_spaces_are_preserved() -> None:
    for text, says in ((" a", True), ("a ", True), ("a b", False)):
        with zipfile.ZipFile(io.BytesIO(written([[1, text]]))) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert ('<t xml:space="preserve">' in sheet) == says


def test_line_ends_are_normalized() -> None:
    assert read("one\r\ntwo\rthree\nfour").value == "one\ntwo\nthree\nfour"


@pytest.mark.parametrize("sign", ["a", "&", "é", "😀", "\a"])
@pytest.mark.parametrize("more", [0, 1, 9])
def test_long_texts_are_cut_to_the_limit_of_a_cell(sign: str, more: int) -> None:
    units = len(sign.encode("utf-16-le")) // 2
    most = workbook.TEXT_LIMIT // units
    text = unescape(read(sign * (most + more)).value)
    assert len(text.encode("utf-16-le")) // 2 <= workbook.TEXT_LIMIT
    assert text.startswith(sign * (most - 2))
    assert text.endswith("…") == bool(more)


@pytest.mark.parametrize(
    "number",
    [0, -7, 2**31, 10**15 - 1, 0.1, -1.5e-7, 1e300, Decimal("12.30"), True],
)
def test_numbers_are_written_as_numbers(number: Any) -> None:
    cell = read(number)
    assert cell.value == pytest.approx(float(number), rel=1e-15)
    assert cell.data_type in {"n", "b"}


def test_numbers_that_would_lose_digits_are_written_as_texts() -> None:
    assert read(10**15 + 1).value == "1000000000000001"
    assert read(-(10**40)).value == str(-(10**40))


@pytest.mark.parametrize("nothing", [None, "", math.nan, math.inf, -math.inf, Decimal("NaN")])
def test_empty_values_leave_the_cell_empty(nothing: Any) -> None:
    assert read(nothing).value is None


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 26, 18, 41, 59),
        datetime(2000, 2, 29),
        datetime(1900, 3, 1, 0, 0, 1),
        datetime(9999, 12, 31, 23, 59, 59),
    ],
)
def test_moments_are_written_as_dates_with_times(moment: datetime) -> None:
    cell = read(moment)
    assert (cell.value, cell.is_date) == (moment, True)
    assert cell.number_format.replace("\\", "") == "yyyy-mm-dd hh:mm:ss"


def test_days_are_written_as_dates_without_times() -> None:
    cell = read(date(2026, 11, 26))
    assert (cell.value, cell.is_date) == (datetime(2026, 11, 26), True)
    assert cell.number_format.replace("\\", "") == "yyyy-mm-dd"


def test_dates_that_spreadsheets_do_not_support_are_texts() -> None:
    assert read(date(1899, 7, 1)).value == "1899-07-01"
    assert read(datetime(1900, 2, 28, 12)).value == "1900-02-28 12:00:00"


def test_subclasses_of_text_are_texts_and_other_types_are_refused() -> None:
    class Kind(StrEnum):
        CHAT = "chat"

    assert read(mark_safe("<b>safe</b>")).value == "<b>safe</b>"
    assert read(Kind.CHAT).value == "chat"
    for wrong in (timedelta(1), ["list"], datetime(2026, 1, 1, tzinfo=UTC)):
        with pytest.raises(TypeError):
            written([[wrong, ""]])


def test_headings_are_frozen_and_columns_fit_their_content() -> None:
    line: Row = [datetime(2026, 1, 1), "word\n" + "line " * 40]
    sheet = opened(written([line], headings=["When", "A heading & more"])).active
    assert [cell.value for cell in sheet[1]] == ["When", "A heading & more"]
    assert all(cell.font.b for cell in sheet[1])
    assert not sheet["A2"].font.b
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width >= len("2026-01-01 00:00:00")
    assert sheet.column_dimensions["B"].width == workbook.WIDEST


def test_a_workbook_without_rows_has_headings() -> None:
    for book in (written(), written([]), written([], [])):
        [sheet] = opened(book).worksheets
        assert [[cell.value for cell in row] for row in sheet.rows] == [HEADINGS]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_rows_beyond_the_limit_of_a_sheet_continue_on_the_next(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    rows: list[Row] = [[number, f"n{number}"] for number in range(7)]
    pieces = [rows[at : at + size] for at in range(0, len(rows), size)]
    book = opened(written(*pieces, title="A/very:long [title] that goes on"))
    assert [sheet.max_row for sheet in book.worksheets] == [4, 4, 2]
    assert book.sheetnames[0] == "A very long  title  that"
    assert [name[-2:] for name in book.sheetnames[1:]] == [" 2", " 3"]
    read_rows = [row for sheet in book.worksheets for row in sheet.iter_rows(2, values_only=True)]
    assert read_rows == [tuple(row) for row in rows]
    assert all(sheet["A1"].value == "Conversation" for sheet in book.worksheets)


def test_rows_that_fill_a_sheet_exactly_use_one_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    assert len(opened(written([[1, "a"], [2, "b"]], [[3, "c"]])).worksheets) == 1


def test_the_size_of_a_sheet_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_BYTES", 1000)
    book = opened(written(*([[number, "x" * 400]] for number in range(6))))
    assert [sheet.max_row - 1 for sheet in book.worksheets] == [3, 3]


@pytest.mark.parametrize("title", ["", "::", "'", 'Réponse <&>"', "x" * 60])
def test_any_title_gives_a_valid_sheet_name(title: str) -> None:
    [name] = opened(written([[1, "a"]], title=title)).sheetnames
    assert 0 < len(name) <= 31


def test_the_archive_is_valid_and_contains_only_xml() -> None:
    with zipfile.ZipFile(io.BytesIO(written([[1, "é\a"]]))) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))
            assert archive.getinfo(name).extract_version < 45  # no ZIP64, which spreadsheets reject


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    def pieces(count: int) -> Iterator[list[Row]]:
        for piece in range(count):
            yield [[number, f"text {number} of {piece}" * 4] for number in range(1000)]

    def most(count: int) -> int:
        tracemalloc.reset_peak()
        with (tmp_path / "book.xlsx").open("wb") as file:
            workbook.write(file, pieces(count), "x", HEADINGS)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        most(5)
        assert most(40) < 1.2 * most(5)
    finally:
        tracemalloc.stop()
