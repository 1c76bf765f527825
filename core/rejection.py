"""The exception that rejects a request, with a code, a sentence and an HTTP status."""

from __future__ import annotations


class Rejected(Exception):
    """A request was rejected: ``code`` for programs, ``text`` for people (translated), ``status``
    for HTTP."""

    def __init__(self, code: str, text: str, status: int) -> None:
        self.code = code
        self.text = text
        self.status = status
        super().__init__(text)
