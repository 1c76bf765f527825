"""The exception that rejects a request, the rejections that several entry points share, and the
one shape of an error in JSON."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


class Rejected(Exception):
    """A request was rejected: ``code`` for programs, ``text`` for people (translated), ``status``
    for HTTP."""

    def __init__(self, code: str, text: str, status: int) -> None:
        self.code = code
        self.text = text
        self.status = status
        super().__init__(text)


def error(code: str, text: str) -> dict[str, Any]:
    """Return the body of an error response."""
    return {"error": {"code": code, "message": text}}


def wrong_method() -> Rejected:
    return Rejected("method", _("Method not allowed."), 405)


def unavailable() -> Rejected:
    """Reject while PostgreSQL or Valkey is unreachable."""
    return Rejected("unavailable", _("We cannot reach our server. Please try again."), 503)
