"""Recognition of uploaded files, and what is stored of them: pure functions of files.

The name and the type sent by a browser are not trusted. Images are decoded and encoded again, so
that neither metadata (the place where a photo was taken) nor hidden data survives. Any other file
must match a short list of signatures, or be plain text.

This code runs in the decoding process (``decoder``), so it imports neither Django nor anything that
does.
"""

from __future__ import annotations

import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from conversations.messages import macros, pictures
from conversations.messages.file_refusals import Reason, Unacceptable
from core.text.cleaning import cut, line

NAME_LIMIT = 120
OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
# The member that identifies each kind of zipped document.
ZIPPED = {
    "word/document.xml": f"{OFFICE}wordprocessingml.document",
    "xl/workbook.xml": f"{OFFICE}spreadsheetml.sheet",
    "ppt/presentation.xml": f"{OFFICE}presentationml.presentation",
}
OPEN_DOCUMENTS = {f"{OPEN}text", f"{OPEN}spreadsheet", f"{OPEN}presentation"}
TEXTS = {"csv": "text/csv", "txt": "text/plain"}
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    f"{OFFICE}wordprocessingml.document": "docx",
    f"{OFFICE}spreadsheetml.sheet": "xlsx",
    f"{OFFICE}presentationml.presentation": "pptx",
    f"{OPEN}text": "odt",
    f"{OPEN}spreadsheet": "ods",
    f"{OPEN}presentation": "odp",
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/plain": "txt",
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is. ``width`` and ``height`` are in pixels, 0 if it is no image.

    Of an image, the file and the thumbnail to store are in the folder (``pictures``). Any other
    file is stored as it was sent.
    """

    content_type: str
    width: int = 0
    height: int = 0

    @property
    def is_image(self) -> bool:
        return self.width > 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is stored of a file: bytes that are safe to serve, their type, and a thumbnail.

    ``width`` and ``height`` are in pixels, ``None`` if it is no image.
    """

    content: bytes
    content_type: str
    name: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


IMAGE, THUMBNAIL = "image", "thumbnail"


def recognise(source: Path, folder: Path) -> Recognised:
    """Recognise a file by its content; raise ``Unacceptable`` if it is refused."""
    if source.stat().st_size == 0:
        raise Unacceptable(Reason.EMPTY)
    with source.open("rb") as opened:
        picture = pictures.opened_picture(opened)
        if picture is not None:
            return Recognised(*pictures.encode_anew(picture, folder))
        return Recognised(_other(opened))


def prepare(recognised: Recognised, source: Path, folder: Path, name: str) -> Prepared:
    """Return what to store of a file that was recognised, with the name to show."""
    content_type, name = type_and_name(recognised, name)
    if not recognised.is_image:
        return Prepared(source.read_bytes(), content_type, name)
    return Prepared(
        content=(folder / pictures.IMAGE).read_bytes(),
        content_type=content_type,
        name=name,
        width=recognised.width,
        height=recognised.height,
        thumbnail=(folder / pictures.THUMBNAIL).read_bytes(),
    )


def type_and_name(recognised: Recognised, name: str) -> tuple[str, str]:
    """Return the content type to store and the name to show. Only the name sets a table apart from
    other text."""
    content_type = recognised.content_type
    if content_type == TEXTS["txt"] and name.lower().endswith(".csv"):
        content_type = TEXTS["csv"]
    return content_type, clean_name(name, EXTENSIONS[content_type])


def clean_name(name: str, extension: str) -> str:
    """Return the name to show: without path, control and direction characters, and with the
    extension of its real type."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    # macOS sends accents as characters of their own.
    base = line(unicodedata.normalize("NFC", base))
    stem, dot, given = base.rpartition(".")
    same = {given.lower()} & {extension, {"jpg": "jpeg", "txt": "text"}.get(extension, extension)}
    if not dot or not same:
        stem = base
    stem = cut(stem.strip(" ."), NAME_LIMIT - len(extension) - 1) or "file"
    return f"{stem}.{extension}"


def _other(opened: IO[bytes]) -> str:
    """Return the content type of a file that is no image."""
    opened.seek(0)
    start = opened.read(1024)
    if start.lstrip().startswith(b"%PDF-"):
        return "application/pdf"
    if start.startswith(b"PK\x03\x04"):
        return _zipped(opened)
    opened.seek(0)
    if _is_text(opened.read()):
        return TEXTS["txt"]
    raise Unacceptable(Reason.NOT_ACCEPTED)


def _zipped(opened: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(opened) as archive:
            members = set(archive.namelist())
            macros.check(archive)
            for member, content_type in ZIPPED.items():
                if member in members and "[Content_Types].xml" in members:
                    return content_type
            # Only a size of a content type is unpacked: a larger one could be a bomb.
            if "mimetype" in members and archive.getinfo("mimetype").file_size < 100:
                content_type = archive.read("mimetype").decode("ascii", "replace").strip()
                if content_type in OPEN_DOCUMENTS:
                    return content_type
    # RuntimeError is a member that is encrypted.
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Unacceptable(Reason.DAMAGED) from None
    raise Unacceptable(Reason.NOT_ACCEPTED)


def _is_text(content: bytes) -> bool:
    """Return whether it is UTF-8 without control characters or markup that a browser might run."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    start = text[:1024].lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype", "<html", "<svg", "<?xml", "<script", "#!")):
        return False
    return not any(ord(character) < 32 and character not in "\t\r\n\f" for character in text)
