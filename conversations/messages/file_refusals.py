"""Why uploaded files are refused. Shared by the decoding process, so it imports no Django."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a file is refused; ``decoder`` has the sentences."""

    EMPTY = "empty"
    TOO_MANY_PIXELS = "too_many_pixels"
    DAMAGED_PICTURE = "damaged_picture"
    DAMAGED = "damaged"
    MACROS = "macros"
    NOT_ACCEPTED = "not_accepted"
    INFECTED = "infected"
    UNCHECKED = "unchecked"


class Unacceptable(Exception):
    """A file is refused."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)
