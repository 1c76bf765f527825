"""Recognition of uploaded files, and what is stored of them: pure functions of bytes.

The name and the type sent by a browser are not trusted. Images are decoded and encoded again, so
that neither metadata (the place where a photo was taken) nor hidden data survives. Any other file
must match a short list of signatures, or be plain text.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from core.text.cleaning import cut, line

NAME_LIMIT = 120
PIXELS_LIMIT = 50_000_000  # More than a phone's largest photo, and safe for memory.
SIDE_LIMIT = 4096
FRAMES_LIMIT = 200
PROFILE_BYTES = 16_384
THUMBNAIL_SIDE = 640
THUMBNAIL_TYPE = "image/webp"

IMAGES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
OFFICE = "application/vnd.openxmlformats-officedocument."
# The member that identifies each kind of zipped document.
ZIPPED = {
    "word/document.xml": (f"{OFFICE}wordprocessingml.document", "docx"),
    "xl/workbook.xml": (f"{OFFICE}spreadsheetml.sheet", "xlsx"),
    "ppt/presentation.xml": (f"{OFFICE}presentationml.presentation", "pptx"),
}
OPEN_DOCUMENTS = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
TEXTS = {"csv": "text/csv", "txt": "text/plain"}
MACROS = ("vbaProject.bin", "Basic/Standard")


class Unacceptable(Exception):
    """A file is refused. The text says why, to the person who chose it. It is translated lazily:
    this code runs in threads without an active language."""


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


def prepare(content: bytes, name: str) -> Prepared:
    """Recognise a file by its content and return what to store; raise ``Unacceptable`` if it is
    refused."""
    if not content:
        raise Unacceptable(_("This file is empty."))
    picture = _picture(content)
    if picture is not None:
        return _encoded_anew(picture, name)
    content_type, extension = _recognised(content, name)
    return Prepared(content, content_type, clean_name(name, extension))


def clean_name(name: str, extension: str) -> str:
    """Return the name to show: without path, control and direction characters, and with the
    extension of its real type."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    base = line(unicodedata.normalize("NFC", base))
    stem, dot, given = base.rpartition(".")
    same = {given.lower()} & {extension, {"jpg": "jpeg", "txt": "text"}.get(extension, extension)}
    if not dot or not same:
        stem = base
    stem = cut(stem.strip(" ."), NAME_LIMIT - len(extension) - 1) or "file"
    return f"{stem}.{extension}"


def _picture(content: bytes) -> Image.Image | None:
    try:
        picture = Image.open(io.BytesIO(content), formats=list(IMAGES))
    except Image.DecompressionBombError:
        raise Unacceptable(_("This picture has too many pixels.")) from None
    except Exception:  # Pillow may raise anything on a damaged header: treat it as no image.
        return None
    if picture.width * picture.height > PIXELS_LIMIT:
        raise Unacceptable(_("This picture has too many pixels."))
    return picture


def _encoded_anew(picture: Image.Image, name: str) -> Prepared:
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)  # a JPEG of some phones
    try:
        frames = getattr(picture, "n_frames", 1)
        content = _moving(picture) if kind == "GIF" and 1 < frames <= FRAMES_LIMIT else None
        picture.seek(0)
        still = ImageOps.exif_transpose(picture)
        still.thumbnail((SIDE_LIMIT, SIDE_LIMIT))
        if content is None:
            content = _bytes(still, kind)
        width, height = still.size
        small = still.copy()
        small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        thumbnail = _bytes(small, "WEBP")
    except Unacceptable:
        raise
    except Exception:  # Pillow may raise anything on damaged data.
        raise Unacceptable(_("This picture is damaged.")) from None
    content_type = IMAGES[kind]
    named = clean_name(name, EXTENSIONS[content_type])
    return Prepared(content, content_type, named, width, height, thumbnail)


def _moving(picture: Image.Image) -> bytes | None:
    """Encode an animated GIF frame by frame; return ``None`` if it is too large for that."""
    frames = getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > PIXELS_LIMIT:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "GIF", save_all=True, comment=b"", optimize=False)
    return buffer.getvalue()


def _bytes(picture: Image.Image, kind: str) -> bytes:
    if kind == "JPEG":
        picture = picture.convert("RGB")
    elif picture.mode not in {"1", "L", "P", "RGB", "RGBA"} or kind == "WEBP":
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    # Copy only the pixels: Pillow would write any metadata it has read.
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    if picture.mode == "P":
        palette = picture.getpalette("RGBA" if "transparency" in picture.info else "RGB")
        bare.putpalette(palette or [], "RGBA" if "transparency" in picture.info else "RGB")
    buffer = io.BytesIO()
    options: dict[str, Any] = {"quality": 88, "optimize": True} if kind == "JPEG" else {}
    colours = picture.info.get("icc_profile") or b""  # else photos of phones turn pale
    if kind != "GIF" and 0 < len(colours) <= PROFILE_BYTES:
        options["icc_profile"] = colours
    bare.save(buffer, kind, **options)
    return buffer.getvalue()


def _recognised(content: bytes, name: str) -> tuple[str, str]:
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return "application/pdf", "pdf"
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content)
    if _is_text(content):
        extension = "csv" if name.lower().endswith(".csv") else "txt"
        return TEXTS[extension], extension
    raise _not_accepted()


def _zipped(content: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = set(archive.namelist())
            if any(macro in member for macro in MACROS for member in members):
                raise Unacceptable(_("Documents with macros are not accepted."))
            for member, (content_type, extension) in ZIPPED.items():
                if member in members and "[Content_Types].xml" in members:
                    return content_type, extension
            if "mimetype" in members and archive.getinfo("mimetype").file_size < 100:
                content_type = archive.read("mimetype").decode("ascii", "replace").strip()
                if content_type in OPEN_DOCUMENTS:
                    return content_type, OPEN_DOCUMENTS[content_type]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Unacceptable(_("This file is damaged.")) from None
    raise _not_accepted()


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


def _not_accepted() -> Unacceptable:
    return Unacceptable(
        _("This file type is not accepted. Send a picture, PDF, office document or text file.")
    )
