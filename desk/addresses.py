"""Web addresses for people: the path of a page, not the whole URL (R192)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

LONG = 44


def short(address: str, own_hosts: Iterable[str] = ()) -> str:
    """Return the path of a page of the brand's own site, or host and path of another.

    Scheme and query are left out; of a long path only the first and last parts remain. Text that
    is no URL is returned unchanged.
    """
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
    """Decode escapes, unless that would reveal invisible or direction-changing characters."""
    readable = unquote(path, errors="strict") if _is_utf8(path) else path
    return readable if readable.isprintable() else path


def _is_utf8(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
