"""Attached files: recognized by their content, cleaned of metadata that they should not carry.

``test_decoder`` runs the same in the process that decodes."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conversations.messages import file_types, pictures
from conversations.messages.file_refusals import Unacceptable
from conversations.messages.file_types import Prepared, clean_name


def prepare(content: bytes, name: str) -> Prepared:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes(content)
        recognised = file_types.recognise(source, Path(folder))
        return file_types.prepare(recognised, source, Path(folder), name)


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (80, 60), mode: str = "RGB", **options: object
) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 120).save(buffer, kind, **options)
    return buffer.getvalue()


def archive(**members: bytes | str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def document(member: str, **more: str) -> bytes:
    return archive(**{"[Content_Types].xml": "<Types/>", member: "<x/>"} | more)


def with_place() -> bytes:
    """Return a photo that records where and by what it was taken, rotated."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010F] = "SecretMaker"
    exif.get_ifd(0x8825)[1] = "N"
    return picture(exif=exif, comment=b"SecretComment")


def test_photo_metadata_is_removed_and_rotation_applied() -> None:
    prepared = prepare(with_place(), "IMG_1.JPG")
    assert (prepared.content_type, prepared.name) == ("image/jpeg", "IMG_1.jpg")
    assert (prepared.width, prepared.height) == (60, 80)
    assert b"Secret" not in prepared.content
    assert not dict(Image.open(io.BytesIO(prepared.content)).getexif())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_images_get_a_thumbnail_and_lose_appended_data(kind: str) -> None:
    hidden = picture(kind, (1600, 1200)) + b"<script>alert(1)</script>PK\x03\x04"
    prepared = prepare(hidden, "x.exe")
    assert prepared.content_type == pictures.IMAGES[kind]
    assert b"script" not in prepared.content
    assert prepared.thumbnail is not None
    small = Image.open(io.BytesIO(prepared.thumbnail))
    assert (small.format, small.size) == ("WEBP", (640, 480))
    assert (prepared.width, prepared.height) == (1600, 1200)


def test_png_text_is_removed() -> None:
    from PIL.PngImagePlugin import PngInfo

    metadata = PngInfo()
    metadata.add_text("Author", "Secret Person")
    assert b"Secret" not in prepare(picture("PNG", pnginfo=metadata), "a.png").content


def test_transparency_is_preserved() -> None:
    prepared = prepare(picture("PNG", mode="RGBA"), "logo.png")
    assert Image.open(io.BytesIO(prepared.content)).mode == "RGBA"


def test_animated_gif_stays_animated() -> None:
    frames = [Image.new("L", (20, 20), shade) for shade in (0, 90, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], comment=b"Secret")
    prepared = prepare(buffer.getvalue(), "a.gif")
    assert getattr(Image.open(io.BytesIO(prepared.content)), "n_frames", 1) == 3
    assert b"Secret" not in prepared.content


def test_large_image_is_scaled_down() -> None:
    prepared = prepare(picture("PNG", (5000, 1000), "L"), "wide.png")
    assert (prepared.width, prepared.height) == (4000, 800)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("PNG", (4001, 4000)),
        ("PNG", (60_000, 60_000 // 8)),
        ("GIF", (4001, 4000)),
        ("WEBP", (4001, 4000)),
        ("JPEG", (8001, 8000)),
    ],
)
def test_decompression_bomb_is_refused(kind: str, size: tuple[int, int]) -> None:
    bomb = picture(kind, size, "1" if kind == "PNG" else "L")
    with pytest.raises(Unacceptable, match="pixels"):
        prepare(bomb, "bomb.png")


@pytest.mark.parametrize("progressive", [False, True])
def test_phone_photo_is_reduced_while_decoding(progressive: bool) -> None:
    prepared = prepare(picture("JPEG", (8160, 6120), "L", progressive=progressive), "photo.jpg")
    assert (prepared.width, prepared.height) == (4000, 3000)


def test_frames_larger_than_first_are_refused() -> None:
    first = picture("GIF", (10, 10), "L")
    # The size of the one frame, after the screen's and the palette's.
    at = first.index(b"\x2c\0\0\0\0\x0a\0\x0a\0")
    forged = first[: at + 5] + b"\xff\xff\xff\xff" + first[at + 9 :]
    with pytest.raises(Unacceptable, match="pixels"):
        prepare(forged, "a.gif")


def test_first_frame_of_oversized_animation_is_kept() -> None:
    frames = [Image.new("L", (1000, 1000), shade) for shade in range(17)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    prepared = prepare(buffer.getvalue(), "a.gif")
    assert getattr(Image.open(io.BytesIO(prepared.content)), "n_frames", 1) == 1


def test_16_bit_grayscale_becomes_8_bit() -> None:
    prepared = prepare(picture("PNG", mode="I;16"), "scan.png")
    assert Image.open(io.BytesIO(prepared.content)).mode == "L"


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_truncated_image_is_refused(cut: float) -> None:
    whole = picture("PNG", (400, 400))
    with pytest.raises(Unacceptable):
        prepare(whole[: int(len(whole) * cut)], "half.png")


@pytest.mark.parametrize(
    ("content", "name", "content_type", "kept_name"),
    [
        (b"%PDF-1.7\n...", "Devis été.pdf", "application/pdf", "Devis été.pdf"),
        (b"%PDF-1.7\n...", "devis.exe", "application/pdf", "devis.exe.pdf"),
        ("Bonjour à tous\n".encode(), "note.txt", "text/plain", "note.txt"),
        (b"a;b\n1;2\n", "list.csv", "text/csv", "list.csv"),
        (
            document("word/document.xml"),
            "a.docx",
            file_types.ZIPPED["word/document.xml"],
            "a.docx",
        ),
        (
            document("xl/workbook.xml"),
            "a.docx",
            file_types.ZIPPED["xl/workbook.xml"],
            "a.docx.xlsx",
        ),
        (
            archive(mimetype="application/vnd.oasis.opendocument.text"),
            "b.odt",
            "application/vnd.oasis.opendocument.text",
            "b.odt",
        ),
    ],
)
def test_document_type_is_recognized_from_content(
    content: bytes, name: str, content_type: str, kept_name: str
) -> None:
    prepared = prepare(content, name)
    assert (prepared.content_type, prepared.name) == (content_type, kept_name)
    assert prepared.content == content
    assert prepared.thumbnail is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\xef\xbb\xbf  <HTML>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b'<?xml version="1.0"?><svg/>',
        b"#!/bin/sh\nrm -rf /",
        archive(**{"anything.txt": "x"}),
        document("word/document.xml", **{"word/vbaProject.bin": "x"}),
        b"PK\x03\x04 and nothing of an archive",
        "texte en latin-1 : été".encode("latin-1"),
        b"\xff\xd8\xff\xe0 no picture",
    ],
)
def test_unsupported_types_are_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(Unacceptable) as refused:
        prepare(content, "photo.jpg")
    assert str(refused.value)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_arbitrary_bytes_do_not_raise_an_error(content: bytes, name: str) -> None:
    try:
        prepared = prepare(content, name)
    except Unacceptable:
        return
    assert prepared.content_type in {"text/plain", "text/csv", "application/pdf"}


@given(st.text(max_size=300))
def test_cleaned_name_is_never_a_path(name: str) -> None:
    clean = clean_name(name, "pdf")
    assert clean.endswith(".pdf")
    assert len(clean) <= file_types.NAME_LIMIT
    assert not set("/\\\n\r\0\u202e") & set(clean)
    assert not clean.startswith(".")


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\a.pdf", "a.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe.pdf"),
        ("", "file.pdf"),
        (".pdf", "file.pdf"),
        ("a" * 400 + ".pdf", "a" * 116 + ".pdf"),
    ],
)
def test_dangerous_names_are_cleaned(given_name: str, expected: str) -> None:
    assert clean_name(given_name, "pdf") == expected
