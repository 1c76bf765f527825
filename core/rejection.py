"""What stops a request: an exception with a code, a sentence and an HTTP status."""

from __future__ import annotations


class Rejected(Exception):
    """A request that was not accepted: ``code`` for programs, ``text`` for people (translated),
    ``status`` the HTTP status that says the same."""

    def __init__(self, code: str, text: str, status: int) -> None:
        self.code = code
        self.text = text
        self.status = status
        super().__init__(text)
