"""A client of Causerie's API: an example to start from (docs/api.md). It needs Python only.

    api = Causerie("https://chat.example.com", "causerie_…")
    for conversation in api.pages("conversations", status="queued"):
        why = api.get(f"conversations/{conversation['number']}/why")
        print(conversation["number"], why["summary"])
    api.send(1042, "Your parcel arrives tomorrow.")

Requests that fail on the way are repeated, and nothing happens twice: each POST has an idempotency
key. A refusal raises ``Refused``, whose ``code`` is for programs and whose text is for people.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urljoin
from urllib.request import HTTPRedirectHandler, Request, build_opener

Row = dict[str, Any]
REPEATED = {429, 503}
LONGEST_WAIT = 60.0


class Refused(Exception):
    """An answer of 400 or more; ``problem`` is its body (RFC 9457)."""

    def __init__(self, status: int, problem: Row) -> None:
        super().__init__(problem.get("detail") or f"HTTP {status}")
        self.status = status
        self.code: str = problem.get("code", "")
        self.fields: Row = problem.get("fields", {})
        self.problem = problem


class NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token to wherever it leads."""

    def redirect_request(self, *args: Any) -> None:
        return None


class Causerie:
    """``root`` is the address of the installation. A request is tried ``tries`` times."""

    def __init__(self, root: str, token: str, *, tries: int = 4, timeout: float = 30) -> None:
        if not root.startswith(("https://", "http://")):
            raise ValueError("The root is an address such as https://chat.example.com.")
        self.root = urljoin(root, "/api/v1/")
        self.opener = build_opener(NoRedirects)
        self.token = token
        self.tries = tries
        self.timeout = timeout
        self.sleep: Callable[[float], None] = time.sleep

    # --- What one does with any row

    def get(self, path: str, **parameters: Any) -> Row:
        return self.request("GET", path, parameters=parameters)[0]

    def post(self, path: str, **body: Any) -> Row:
        return self.request("POST", path, body=body)[0]

    def delete(self, path: str) -> None:
        self.request("DELETE", path)

    def pages(self, path: str, **parameters: Any) -> Iterator[Row]:
        """Yield all rows of a list, page by page."""
        page = self.get(path, **parameters)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.get(page["next"])

    def edit(self, path: str, change: Callable[[Row], Row]) -> Row:
        """Change a row by what ``change`` returns for it, anew if somebody was faster."""
        while True:
            row, headers = self.request("GET", path)
            changes = change(row)
            try:
                headers = {"If-Match": headers["ETag"]}
                return self.request("PATCH", path, body=changes, headers=headers)[0]
            except Refused as refused:
                if refused.code != "changed":
                    raise

    # --- Conversations

    def send(self, number: int, text: str, **more: Any) -> Row:
        """Write to the visitor; ``choices``, ``cards`` and ``attachment`` are optional."""
        body = {"id": str(uuid.uuid4()), "body": text, **more}
        message: Row = self.post(f"conversations/{number}/messages", **body)["message"]
        return message

    def upload(self, number: int, name: str, content: bytes) -> str:
        """Upload a file and return its id, to be sent as the ``attachment`` of a message."""
        file = str(uuid.uuid4())
        path = f"conversations/{number}/files/{file}"
        self.request("PUT", path, parameters={"name": name}, content=content)
        return file

    def follow(self, after: str = "now", *, pause: float = 5) -> Iterator[tuple[str, list[Row]]]:
        """Yield what happens for ever: the cursor to store, and the entries up to there. Store the
        cursor together with what you have done with the entries, and begin with it next time."""
        while True:
            page = self.get("events", after=after)
            if page["next"] != after:
                after = page["next"]
                yield after, page["results"]
            if not page["has_more"]:
                self.sleep(pause)

    # --- Requests

    def request(
        self,
        method: str,
        path: str,
        *,
        parameters: Row | None = None,
        body: Row | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Row, dict[str, str]]:
        """Return the body and the headers of an answer; repeat what may be repeated."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if method == "POST":
            sent["Idempotency-Key"] = str(uuid.uuid4())
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif content is not None:
            sent["Content-Type"] = "application/octet-stream"
        address = self._address(path, parameters)
        request = Request(address, content, sent, method=method)  # noqa: S310 - below the root
        for attempt in range(1, self.tries + 1):
            try:
                with self.opener.open(request, timeout=self.timeout) as answer:
                    return json.loads(answer.read() or b"{}"), dict(answer.headers)
            except HTTPError as error:
                problem = _problem_of(error)
                if not _may_repeat(error, problem) or attempt == self.tries:
                    raise Refused(error.code, problem) from None
                wait = float(error.headers.get("Retry-After") or 2**attempt)
            except (URLError, TimeoutError, ConnectionError):
                if attempt == self.tries:
                    raise
                wait = 2.0**attempt
            self.sleep(min(wait, LONGEST_WAIT))
        raise AssertionError("tries must be at least 1")

    def _address(self, path: str, parameters: Row | None) -> str:
        address = urljoin(self.root, path)
        if not address.startswith(self.root):
            raise ValueError("This address belongs to another server.")
        if address == self.root + path:
            address = self.root + quote(path.strip("/")) + "/"
        return f"{address}?{urlencode(parameters, doseq=True)}" if parameters else address


def _problem_of(error: HTTPError) -> Row:
    try:
        problem: Row = json.loads(error.read())
    except ValueError:
        return {}
    return problem


def _may_repeat(error: HTTPError, problem: Row) -> bool:
    return error.code in REPEATED or problem.get("code") == "in_progress"
