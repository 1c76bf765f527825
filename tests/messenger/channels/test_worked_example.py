"""The connector of docs/channels.md, as it stands there, against a gateway that it imagines."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation, Inbox, OutboundMessage
from core.events import outbox
from messenger.channels import registry
from messenger.channels.connector import Connector
from tests.messenger.channels.world import a_step, an_agent, an_inbox, answer


@pytest.fixture
def connector(root: Path) -> Iterator[Connector]:
    page = (root / "docs/channels.md").read_text()
    (code,) = re.findall(r"```python\n(import hashlib.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/channels.md", "exec"), names)
    registry.add(names["Pigeon"]())
    yield names["Pigeon"]()
    registry._by_kind.pop("pigeon")


@contextmanager
def gateway(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    heard: list[dict[str, Any]] = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = left.pop(0) if left else 201
            heard.append(body | {"authorization": self.headers["Authorization"]})
            content = json.dumps({"id": f"p{len(heard)}", "error": "no such number"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()


def post(inbox: Inbox, event: dict[str, Any], *, key: str = "the-signing-key") -> int:
    body = json.dumps(event).encode()
    signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    how: dict[str, Any] = {"headers": {"X-Pigeon-Signature": signature}}
    door = f"/channels/{inbox.key}/"
    return Client().post(door, body, content_type="application/json", **how).status_code


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clock", "connector")
def test_it_takes_a_message_answers_it_and_shows_its_receipt(settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    step = a_step()
    an_agent(step)
    with gateway() as (url, heard):
        inbox = an_inbox(step, kind="pigeon", secret="the-signing-key", options={"api": url})
        event = {"type": "message", "id": 1, "from": "+33600000000", "text": "Bonjour"}
        assert post(inbox, event, key="another") == 403
        assert post(inbox, event) == 200
        assert post(inbox, event) == 200
        assert post(inbox, {"type": "message"}) == 400
        outbox.deliver_due()
        outbox.deliver_due()
        talk = Conversation.objects.get()
        assert [one.body for one in talk.messages.all()] == ["Bonjour"]
        answer(talk, "Bonjour !")
        outbox.deliver_due()
        assert heard[0]["to"] == "+33600000000"
        assert heard[0]["key"] == str(talk.messages.get(seq=2).client_id)
        assert post(inbox, {"type": "status", "id": "p1", "state": "delivered"}) == 200
    assert OutboundMessage.objects.get().status == "delivered"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clock", "connector")
def test_each_failure_of_its_gateway_means_what_it_says(settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    step = a_step()
    an_agent(step)
    with gateway(401, 422) as (url, heard):
        inbox = an_inbox(step, kind="pigeon", secret="the-signing-key", options={"api": url})
        post(inbox, {"type": "message", "id": 1, "from": "+336", "text": "Bonjour"})
        outbox.deliver_due()
        outbox.deliver_due()
        answer(Conversation.objects.get(), "Bonjour !")
        outbox.deliver_due()
        assert Inbox.objects.get().trouble == "Pigeon does not accept the API key."
        row = OutboundMessage.objects.get()
        assert row.status == "owed"
        OutboundMessage.objects.update(due_at=row.created_at)
        from messenger.channels import outbound

        outbound.send_due()
    row = OutboundMessage.objects.get()
    assert (row.status, row.reason) == ("failed", "no such number")
    assert len(heard) == 2
