"""Programs in office documents are found by whatever name, folder and spelling they have."""

from __future__ import annotations

import io
import tempfile
import warnings
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from conversations.messages import file_types
from conversations.messages.file_refusals import Reason, Unacceptable

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
RELATIONS = "<Relationships>{}</Relationships>"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OFFICE = "http://schemas.microsoft.com/office/2006/relationships"
OPEN_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def archive(members: list[tuple[str, str | bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about equal names
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def word(*members: tuple[str, str | bytes], types: str | bytes = "") -> bytes:
    """Return a document with further members. ``types`` are declarations, or all of them."""
    declared = f'<Override PartName="/word/document.xml" ContentType="{MAIN}"/>'
    whole = types if isinstance(types, bytes) else TYPES.format(declared + types)
    return archive([("[Content_Types].xml", whole), ("word/document.xml", "<document/>"), *members])


def text(*members: tuple[str, str | bytes], content: str | bytes = "<x/>") -> bytes:
    """Return an OpenDocument text with further members."""
    kind = "application/vnd.oasis.opendocument.text"
    return archive([("mimetype", kind), ("content.xml", content), *members])


def override(content_type: str, part: str = "/word/harmless.xml") -> str:
    return f'<Override PartName="{part}" ContentType="{content_type}"/>'


def relation(kind: str, target: str = "harmless.xml", mode: str = "") -> str:
    mode = mode and f' TargetMode="{mode}"'
    return RELATIONS.format(f'<Relationship Id="r1" Type="{kind}" Target="{target}"{mode}/>')


def call(address: str) -> str:
    return (
        '<o:document-content xmlns:o="o" xmlns:script="s" xmlns:xlink="x">'
        f'<script:event-listener script:event-name="dom:load" xlink:href="{address}"/>'
        "</o:document-content>"
    )


def reason_of(content: bytes) -> Reason | None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes(content)
        try:
            file_types.recognise(source, Path(folder))
        except Unacceptable as unacceptable:
            return unacceptable.reason
    return None


VBA = "application/vnd.ms-office.vbaProject"
RELS = "word/_rels/document.xml.rels"
SETTINGS = "word/_rels/settings.xml.rels"
TEMPLATE = f"{OPEN_OFFICE}/attachedTemplate"


@pytest.mark.parametrize(
    "content",
    [
        word(("word/vbaProject.bin", b"x")),
        word(("word/VBAPROJECT.BIN", b"x")),
        word(("word\\vbaProject.bin", b"x")),
        word(("elsewhere/deep/vbaProject.bin", b"x")),
        word(("word/vbaData.xml", "<x/>")),
        word(("xl/macrosheets/sheet1.xml", "<x/>")),
        word(("XL/MacroSheets/sheet1.xml", "<x/>")),
        word(("word/activeX/activeX1.bin", b"x")),
        # Harmless names, but a telling declaration.
        word(types=override(VBA)),
        word(types=override(VBA.upper())),
        word(types=f'<Default Extension="bin" ContentType="{VBA}"/>'),
        word(types=override(VBA.replace("vba", "v&#98;a"))),
        word(types=override("application/vnd.ms-excel.macrosheet+xml")),
        word(types=override("application/vnd.ms-excel.intlmacrosheet+xml")),
        word(types=override("application/vnd.ms-word.document.macroEnabled.main+xml")),
        word(types=TYPES.format(override(VBA)).encode("utf-16")),
        word(
            types=TYPES.replace("<Types", "<t:Types")
            .replace("</T", "</t:T")
            .replace("xmlns=", "xmlns:t=")
            .format(override(VBA).replace("<O", "<t:O"))
            .encode()
        ),
        word((RELS, relation(f"{OFFICE}/vbaProject"))),
        word((RELS.upper(), relation(f"{OFFICE}/vbaProject"))),
        word((RELS, relation(f"{OFFICE}/VBAPROJECT").encode("utf-16-be"))),
        word((RELS, "\ufeff" + relation(f"{OFFICE}/vbaProject"))),
        word((RELS, relation(f"{OFFICE}/xlMacrosheet"))),
        word(("anything.rels", relation(f"{OFFICE}/vbaProject"))),
        # Macros that come from somewhere else.
        word((SETTINGS, relation(TEMPLATE, "https://evil.example/t.dotm", "External"))),
        word((SETTINGS, relation(TEMPLATE, "HTTP://evil.example/t.dotm", "EXTERNAL"))),
        word((SETTINGS, relation(TEMPLATE, "file://evil.example/share/t.dotm", "External"))),
        word((SETTINGS, relation(TEMPLATE, "file:////evil.example/share/t.dotm", "External"))),
        word((SETTINGS, relation(TEMPLATE, r"\\evil.example\share\t.dotm", "External"))),
        word((SETTINGS, relation(TEMPLATE, "mhtml:https://evil.example/t", "External"))),
        word((RELS, relation(f"{OPEN_OFFICE}/oleObject", "https://evil.example/x", "External"))),
        text(("Basic/Standard/Module1.xml", "<x/>")),
        text(("Basic/Other/Module1.xml", "<x/>")),
        text(("basic/x.xml", "<x/>")),
        text(("Object 1/Basic/Standard/m.xml", "<x/>")),
        text(("Scripts/python/evil.py", "x")),
        text(("Scripts/javascript/x/evil.js", "x")),
        text(("Dialogs/Standard/d.xml", "<x/>")),
        text(content=call("vnd.sun.star.script:../../../../x.py$f?language=Python")),
        text(content=call("&#118;nd.sun.star.SCRIPT:x?language=Basic&amp;location=user")),
        text(content=call("macro:///Standard.Module1.Main()")),
        text(("styles.xml", call("vnd.sun.star.script:x"))),
        text(("Object 1/content.xml", call("vnd.sun.star.script:x"))),
    ],
)
def test_documents_with_programs_are_refused(content: bytes) -> None:
    assert reason_of(content) == Reason.MACROS


@pytest.mark.parametrize(
    "content",
    [
        word(("word/document.xml", "<other/>")),  # two members of one name
        word(("WORD/document.xml", "<other/>")),
        word(types=b"<Types"),
        word(types=TYPES.format(override("x")).encode("utf-7")[:-3]),
        word((RELS, "not XML")),
        word((RELS, b"<x>" + bytes(9 * 2**20) + b"</x>")),
        word(*((f"n{number}", "") for number in range(10_001))),
        text(content="<x>"),
        text(
            content='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + "".join(
                f'<!ENTITY {b} "{f"&{a};" * 10}">'
                for a, b in zip("abcdefgh", "bcdefghi", strict=True)
            )
            + "]><x>&i;</x>"
        ),
    ],
)
def test_ambiguous_or_broken_documents_are_refused(content: bytes) -> None:
    assert reason_of(content) == Reason.DAMAGED


def workbook() -> bytes:
    buffer, book = io.BytesIO(), Workbook()
    book.active.append(["macro", "vbaProject", "=1+1"])
    book.active["A2"].hyperlink = "https://www.example.com/vba"
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        workbook(),
        word(("word/macro-economics.xml", "<x/>"), ("word/media/image1.png", b"x")),
        word((RELS, relation(f"{OPEN_OFFICE}/hyperlink", "https://x.example/vba", "External"))),
        word((SETTINGS, relation(TEMPLATE, "file:///C:\\Users\\a\\Brief.dotx", "External"))),
        word((SETTINGS, relation(TEMPLATE, "Normal.dotm", "External"))),
        text(content='<o xmlns:office="o"><office:scripts/>Macro: vnd.sun.star.script:x</o>'),
        text(("Object 1/content.xml", "<x/>"), ("Pictures/basic.png", b"x")),
    ],
)
def test_ordinary_documents_are_accepted(content: bytes) -> None:
    assert reason_of(content) is None
