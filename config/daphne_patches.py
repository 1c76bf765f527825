"""What we ask of daphne that its command line cannot say."""

from __future__ import annotations

from typing import Any

import daphne.http_protocol


class Request(daphne.http_protocol.WebRequest):
    """A request whose body is left to Django and to our doors.

    Twisted would read each POST first: it parses the content type as a mail header and a form or
    an upload whole, in the event loop, and nobody ever looks at what it found.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named, parsePOSTFormSubmission=False)


def arrange() -> None:
    """Have daphne make our requests; in its own process, before it listens."""
    daphne.http_protocol.WebRequest = Request
