"""Web addresses as people read them: the path of a page, not the whole line (R192)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

LONG = 44


def short(address: str, own_hosts: Iterable[str] = ()) -> str:
    """Return the path of a page of the brand's own site, else host and path; without scheme and
    query. A long one keeps its first and its last part. What is no address stays as it is."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return address
    if not host:
        return address
    path = _readable(parts.path)
    is_own = host in {one.removeprefix("www.") for one in own_hosts}
    if path in {"", "/"}:
        return host
    path = path.rstrip("/")
    shown = path if is_own else host + path
    segments = shown.removeprefix("/").split("/")
    if len(shown) <= LONG or len(segments) < 3:
        return shown
    return f"{'/' if is_own else ''}{segments[0]}/…/{segments[-1]}"


def _readable(path: str) -> str:
    """With letters in place of their escapes, unless that would bring in what is not seen or turns
    the direction of what is."""
    readable = unquote(path, errors="strict") if _is_utf8(path) else path
    return readable if readable.isprintable() else path


def _is_utf8(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
