"""The exception that rejects a request, the rejections that several entry points share, and the
one shape of an error in JSON."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class Rejected(Exception):
    """A request was rejected: ``code`` for programs, ``text`` for people (translated), ``status``
    for HTTP."""

    retry_after: int | None = None
    """After how many seconds it may be tried again, if that is known."""

    def __init__(self, code: str, text: str, status: int) -> None:
        self.code = code
        self.text = text
        self.status = status
        super().__init__(text)


class TooMany(Rejected):
    """A limit of requests is reached for ``seconds``."""

    def __init__(self, seconds: int) -> None:
        if seconds < 100:
            text = ngettext(
                "Too many requests. Please try again in %(count)d second.",
                "Too many requests. Please try again in %(count)d seconds.",
                seconds,
            )
            text %= {"count": seconds}
        else:
            minutes = -(-seconds // 60)
            text = ngettext(
                "Too many requests. Please try again in %(count)d minute.",
                "Too many requests. Please try again in %(count)d minutes.",
                minutes,
            )
            text %= {"count": minutes}
        super().__init__("too_many", text, 429)
        self.retry_after = seconds


def error(code: str, text: str) -> dict[str, Any]:
    """Return the body of an error response."""
    return {"error": {"code": code, "message": text}}


def wrong_method() -> Rejected:
    return Rejected("method", _("Method not allowed."), 405)


def unavailable() -> Rejected:
    """Reject while PostgreSQL or Valkey is unreachable."""
    return Rejected("unavailable", _("We cannot reach our server. Please try again."), 503)


def no_space() -> Rejected:
    """Reject a file for which the disk has no room. Messages without files need none."""
    text = _("The server has no room for files at the moment. You can write without one.")
    return Rejected("no_space", text, 507)
