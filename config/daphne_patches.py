"""Changes to daphne that its command line does not offer."""

from __future__ import annotations

from typing import Any

import daphne.http_protocol


class Request(daphne.http_protocol.WebRequest):
    """A request whose body is left to Django and to our raw endpoints.

    By default Twisted reads each POST first, in the event loop: it parses the content type as a
    mail header, and a form or an upload in full, and nobody uses the result.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named, parsePOSTFormSubmission=False)


def apply() -> None:
    """Make daphne use our request class. Call it in daphne's process, before it listens."""
    daphne.http_protocol.WebRequest = Request
