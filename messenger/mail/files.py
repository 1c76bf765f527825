"""The files of an e-mail: which parts somebody sent, and their names."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import dataclass
from email.message import Message

from PIL import Image

from messenger.mail.headers import decoded, raw_values, value
from messenger.mail.transfer import content

NAME_LIMIT = 80

# Signatures, keys and vCards: mail programs add them, nobody attaches them.
ADDED_TYPES = frozenset(
    {
        "application/pgp-keys",
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "text/directory",
        "text/vcard",
        "text/x-vcard",
    }
)
ADDED_NAMES = re.compile(
    r"smime\.p7s|signature\.asc|publickey.*\.asc|openpgp_.*\.asc|encryption_public_key.*|.*\.vcf",
    re.IGNORECASE,
)

SHOWN = ("JPEG", "PNG", "GIF", "WEBP")

# A logo or an icon below a name; pasted pictures are larger.
SMALL_SIDE = 100
SMALL_PIXELS = 60_000


@dataclass(frozen=True, slots=True)
class File:
    """One received file. ``name`` may be empty, ``kind`` is the content type."""

    name: str
    kind: str


def name_of(part: Message) -> str:
    """Return a part's file name, without paths and invisible characters."""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        attached = inner[0] if isinstance(inner, list) and inner else None
        subject = value(attached, "Subject") if isinstance(attached, Message) else ""
        return _clean(f"{subject[:NAME_LIMIT]}.eml") if subject else ""
    try:
        given = part.get_filename("") or ""
    except (ValueError, LookupError, TypeError):
        given = ""  # The parameter is unreadable: the part goes without a name.
    if not given.isascii():
        # Bytes beyond ASCII in a header are surrogates here; most programs mean UTF-8.
        given = given.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _clean(decoded(given))


def _clean(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(
        " " if one.isspace() else one for one in base if unicodedata.category(one)[0] != "C"
    )
    text = " ".join(seen.split())
    if len(text) <= NAME_LIMIT:
        return text
    stem, dot, extension = text.rpartition(".")
    end = f"…{dot}{extension}" if dot and len(extension) < 10 else "…"
    return (stem or text)[: NAME_LIMIT - len(end)] + end


def is_added(part: Message) -> bool:
    """Return whether a mail program added the part, for other programs."""
    kind = part.get_content_type()
    return kind in ADDED_TYPES or ADDED_NAMES.fullmatch(name_of(part)) is not None


def content_id(part: Message) -> str:
    """Return the id by which the HTML shows this part."""
    return next(iter(raw_values(part, "Content-ID")), "").strip("<> ").lower()


def is_decoration(part: Message, decorations: frozenset[str]) -> bool:
    """Return whether a picture is an ornament of a signature or a quote.

    Such a picture is shown nowhere else, or is small and shown inside the text.
    """
    named = content_id(part)
    if part.get_content_maintype() != "image" or not named:
        return False
    return named in decorations or (
        part.get_content_disposition() != "attachment" and _is_small(content(part))
    )


def _is_small(picture: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(picture), formats=SHOWN) as opened:  # only its header
            width, height = opened.size
    except Exception:  # Pillow raises anything on damaged data; the file is mentioned then.
        return False
    return min(width, height) <= SMALL_SIDE or width * height <= SMALL_PIXELS
