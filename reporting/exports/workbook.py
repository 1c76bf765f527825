"""A workbook (XLSX, ECMA-376) written row by row: any number of rows in the memory of one chunk.

Texts are stored in their cells, not in a shared table, so nothing needs to be remembered, and a
spreadsheet takes none of them for a formula (N6). See docs/adr/0028 for why this is our own code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

Cell = str | int | float | Decimal | date | None
Row = list[Cell]

SHEET_ROWS = 1_048_576
"""Rows per sheet, the limit of the format. Further rows go onto the next sheet."""
SHEET_BYTES = 3 << 29
"""Uncompressed. Beyond 2 GiB the archive needs an extension that spreadsheets reject."""
TEXT_LIMIT = 32_767
"""Characters per cell, in UTF-16 units."""
SURE_DIGITS = 10**15
"""From here on a spreadsheet, which uses binary floating point, would show other digits."""
SHORT = 64
"""Characters. Texts up to this length repeat often, so their cells are cached."""
LEVEL = 6
WIDEST, LOOKED_AT = 48, 200  # characters of a column; rows that are measured

BEGINNING = datetime(1899, 12, 30)
FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets disagree about earlier days: some have a 29 February 1900."""
ONE_DAY = timedelta(days=1)
# Characters that XML cannot hold, and text that reads like a workbook's escape for them.
UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
)
NOTHING = "<c/>"
MOMENT, DAY, HEADING = 1, 2, 3  # the styles of STYLES, in order

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OPENXML = "http://schemas.openxmlformats.org"
MAIN = f'xmlns="{OPENXML}/spreadsheetml/2006/main"'
OFFICE = f"{OPENXML}/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f"{XML}<styleSheet {MAIN}>"
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
FROZEN = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2"'
    ' activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)


def write(file: IO[bytes], pieces: Iterable[list[Row]], title: str, headings: list[str]) -> None:
    """Write all chunks under one header line, which stays visible, on as many sheets as needed.

    Moments have no time zone. Raises ``TypeError`` for a value that is not a cell.
    """
    rest = (piece for piece in pieces if piece)
    piece = next(rest, [])
    count = 0
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        while piece or not count:
            count += 1
            with archive.open(f"xl/worksheets/sheet{count}.xml", "w") as sheet:
                piece = _write_sheet(sheet, piece, rest, headings)
        for path, text in _parts(_name(title), count):
            archive.writestr(path, text)


def _write_sheet(
    sheet: IO[bytes], piece: list[Row], rest: Iterator[list[Row]], headings: list[str]
) -> list[Row]:
    """Write as much as a sheet holds; return the rest of the last chunk for the next sheet."""
    sheet.write(
        f"{XML}<worksheet {MAIN}>{FROZEN}{_columns(headings, piece)}<sheetData>"
        f"<row>{''.join(_text_cell(heading, HEADING) for heading in headings)}</row>".encode()
    )
    rows, size = SHEET_ROWS - 1, 0
    while piece and rows and size < SHEET_BYTES:
        fitting, piece = piece[:rows], piece[rows:]
        text = "".join(
            [
                f"<row>{''.join([CELLS[type(cell)](cell) for cell in line])}</row>"
                for line in fitting
            ]
        ).encode()
        sheet.write(text)
        rows, size = rows - len(fitting), size + len(text)
        piece = piece or next(rest, [])
    sheet.write(b"</sheetData></worksheet>")
    return piece


def _columns(headings: list[str], piece: list[Row]) -> str:
    """Size the columns by the first rows; a moment wider than its column shows as ####."""
    lines = zip(*([headings, *piece[:LOOKED_AT]]), strict=True)
    widths = [min(2 + max(map(_width, cells)), WIDEST) for cells in lines]
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(widths, 1)
    )
    return f"<cols>{columns}</cols>" if columns else ""


def _width(cell: Cell) -> int:
    return 0 if cell is None else max(map(len, str(cell).splitlines()), default=0)


def _text(text: str) -> str:
    return _short(text) if len(text) <= SHORT else _text_cell(text)


def _text_cell(text: str, style: int = 0) -> str:
    """Write a text unchanged, with line ends as XML reads them; cut what exceeds a cell's limit."""
    if not text:
        return NOTHING
    # No character takes more than two units: shorter texts need not be encoded to be measured.
    if len(text) * 2 > TEXT_LIMIT:
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) > 2 * TEXT_LIMIT:
            text = units[: 2 * TEXT_LIMIT - 2].decode("utf-16-le", "ignore") + "…"
    text = escape(UNSPEAKABLE.sub(_spelt, text))
    space = "" if text == text.strip() else ' xml:space="preserve"'
    styled = f' s="{style}"' if style else ""
    return f'<c{styled} t="inlineStr"><is><t{space}>{text}</t></is></c>'


_short = lru_cache(maxsize=4096)(_text_cell)


def _spelt(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _integer(number: int) -> str:
    return f"<c><v>{number}</v></c>" if abs(number) < SURE_DIGITS else _text_cell(str(number))


def _number(number: float | Decimal) -> str:
    return f"<c><v>{number}</v></c>" if isfinite(number) else NOTHING


def _moment(moment: datetime) -> str:
    if moment.date() < FIRST_DAY:
        return _text_cell(str(moment))
    return f'<c s="{MOMENT}"><v>{(moment - BEGINNING) / ONE_DAY}</v></c>'


def _day(day: date) -> str:
    if day < FIRST_DAY:
        return _text_cell(str(day))
    return f'<c s="{DAY}"><v>{(day - BEGINNING.date()).days}</v></c>'


class _Cells(dict[type, Callable[[Any], str]]):
    """The writer for each type. A derived type is written like its base."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        for base in kind.__mro__[1:]:
            if base in self:
                self[kind] = self[base]
                return self[base]
        raise TypeError(f"no cell type for {kind.__name__}")


CELLS = _Cells(
    {
        str: _text,
        bool: lambda truth: f'<c t="b"><v>{truth:d}</v></c>',
        int: _integer,
        float: _number,
        Decimal: _number,
        datetime: _moment,
        date: _day,
        type(None): lambda _nothing: NOTHING,
    }
)


def _name(title: str) -> str:
    """Return a valid sheet name, short enough for a number to follow within the 31 characters."""
    return re.sub(r"[\[\]:*?/\\'\x00-\x1f]", " ", title)[:25].strip() or "1"


def _parts(name: str, count: int) -> Iterator[tuple[str, str]]:
    """Yield the files that hold ``count`` sheets together."""
    numbers = range(1, count + 1)
    names = {number: name if number == 1 else f"{name} {number}" for number in numbers}
    yield "xl/styles.xml", STYLES
    sheets = "".join(
        f'<sheet name={quoteattr(names[number])} sheetId="{number}" r:id="rId{number}"/>'
        for number in numbers
    )
    yield (
        "xl/workbook.xml",
        f'{XML}<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>',
    )
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*targets, ("styles", "styles.xml")])
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    kinds = {"workbook": f"{KIND}.sheet.main+xml", "styles": f"{KIND}.styles+xml"} | {
        f"worksheets/sheet{number}": f"{KIND}.worksheet+xml" for number in numbers
    }
    overrides = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{kind}"/>'
        for part, kind in kinds.items()
    )
    yield (
        "[Content_Types].xml",
        f'{XML}<Types xmlns="{OPENXML}/package/2006/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
    )


def _relations(targets: list[tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'{XML}<Relationships xmlns="{OPENXML}/package/2006/relationships">{lines}</Relationships>'
    )
