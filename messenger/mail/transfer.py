"""Decoding of a part's transfer encoding; bytes that are not encoded are taken as they are."""

from __future__ import annotations

import binascii
import re
from email.message import Message

_ALPHABET = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_NOT_IN_IT = re.compile(rb"[^A-Za-z0-9+/=]")


def content(part: Message) -> bytes:
    """Return the content of a leaf part; empty for a multipart."""
    try:
        payload = part.get_payload()
    except (ValueError, LookupError, TypeError):
        payload = None  # The name of its charset is unreadable; its bytes are not.
    if not isinstance(payload, str):
        content = part.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""
    named = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if named.startswith("base64"):
        is_text = part.get_content_maintype() == "text"
        return _from_base64(as_bytes(payload), is_text=is_text)
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else as_bytes(payload)


def as_bytes(text: str) -> bytes:
    """Return the bytes of a text that Python's e-mail parser made of them."""
    return text.encode("utf-8", "surrogateescape")


def _from_base64(raw: bytes, *, is_text: bool) -> bytes:
    """Decode base64 up to its end; append what a mailing list or a gateway wrote below it."""
    lines = [line.strip() for line in raw.splitlines()]
    encoded, rest = _up_to_its_end([line for line in lines if line] if raw.strip() else [])
    decoded = _decoded(b"".join(encoded))
    if decoded is None or (is_text and _is_garbled(decoded)):
        return raw
    return b"\n".join([decoded, *rest])


def _up_to_its_end(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Split at the end: all lines but the last have the first one's length."""
    for number, line in enumerate(lines):
        if not _is_encoded(line):
            return lines[:number], lines[number:]
        is_last = len(line) < len(lines[0]) or line.endswith(b"=")
        if is_last and not all(_looks_encoded(other) for other in lines[number + 1 :]):
            return lines[: number + 1], lines[number + 1 :]
    return lines, []


def _is_encoded(line: bytes) -> bool:
    """Tolerate a stray character or two, but no words."""
    return b" " not in line and len(_NOT_IN_IT.findall(line)) * 20 <= len(line)


def _looks_encoded(line: bytes) -> bool:
    return len(line) % 4 == 0 and _ALPHABET.fullmatch(line) is not None


def _decoded(encoded: bytes) -> bytes | None:
    """Decode base64; ``None`` if this is none."""
    bare = _NOT_IN_IT.sub(b"", encoded)
    pieces = [piece for piece in bare.split(b"=") if piece]
    try:
        decoded = b"".join(binascii.a2b_base64(_padded(piece)) for piece in pieces)
    except binascii.Error:
        return None
    return decoded or None


def _is_garbled(text: bytes) -> bool:
    """Return whether this was never base64: words whose letters happen to be of its alphabet."""
    start = text[:1000]
    return sum(byte < 9 or 13 < byte < 27 for byte in start if byte) * 20 > len(start)


def _padded(piece: bytes) -> bytes:
    # A single character holds six bits: no byte can be made of it.
    whole = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
    return whole + b"=" * (-len(whole) % 4)
