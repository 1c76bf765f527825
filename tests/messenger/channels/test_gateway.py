"""Gateways: the example of docs/channels.md as it stands there, behind a real server."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Role, User
from conversations.models import Conversation, InboundMessage, Inbox, OutboundMessage
from conversations.webhooks.signing import new_secret
from core.events import outbox
from messenger.channels import connecting, outbound
from tests.api_clients import with_token
from tests.clock import NOW
from tests.factories import UserFactory, WebsiteFactory
from tests.messenger.channels.stand_in import PICTURE
from tests.messenger.channels.world import a_step, an_agent, an_inbox, answer, answer_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]


@dataclass
class Example:
    """The gateway of the page, and what it sent as text messages."""

    receive: Any
    deliver: Any
    secret: str
    url: str = ""
    sent: list[tuple[str, str]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    fails: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    def send_text(self, to: str, text: str) -> str:
        self.sent.append((to, text))
        return f"sms-{len(self.sent)}"


@pytest.fixture
def gateway(root: Path, settings: Any) -> Iterator[Example]:
    page = (root / "docs/channels.md").read_text()
    (code,) = re.findall(r"```python\n(import json\nimport urllib.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/channels.md", "exec"), names)
    example = Example(names["receive"], names["deliver"], new_secret())
    settings.PROVIDERS_MAY_BE_PRIVATE = True

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            example.posts.append(json.loads(body) | {"webhook-id": headers["webhook-id"]})
            more: dict[str, str] = {}
            if example.fails:
                status, more = example.fails.pop(0)
                said: dict[str, Any] = {"error": "no such number"}
            else:
                status, said = example.receive(
                    headers, body, example.secret, example.send_text, example.known
                )
            content = json.dumps(said).encode()
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    example.url = f"http://127.0.0.1:{server.server_port}/causerie"
    try:
        yield example
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def inbox(gateway: Example) -> Inbox:
    step = a_step()
    an_agent(step)
    options = {"url": gateway.url}
    return an_inbox(step, kind="gateway", token="", secret=gateway.secret, options=options)


def a_boss(**more: Any) -> User:
    return UserFactory(role=Role.ADMIN, **more)


def post(inbox: Inbox, news: Any, client: Client | None = None) -> int:
    client = client or with_token(a_boss(), scopes=["inboxes:write"])
    kind = "application/json"
    return client.post(f"/channels/{inbox.key}/", json.dumps(news), content_type=kind).status_code


def a_message(number: int = 1, text: str = "Bonjour", **more: Any) -> dict[str, Any]:
    return {"type": "message", "id": number, "from": "+33612345678", "text": text} | more


@pytest.fixture
def talk(inbox: Inbox) -> Conversation:
    assert post(inbox, a_message()) == 200
    outbox.deliver_due()
    outbox.deliver_due()
    return Conversation.objects.get()


def states() -> list[str]:
    return list(OutboundMessage.objects.order_by("seq").values_list("status", flat=True))


def test_a_message_comes_in_once_and_the_answer_leaves_signed(
    gateway: Example, inbox: Inbox, talk: Conversation
) -> None:
    assert post(inbox, a_message()) == 200
    assert InboundMessage.objects.count() == 1
    answer(talk, "Bonjour !")
    outbox.deliver_due()
    assert gateway.sent == [("+33612345678", "Bonjour !")]
    assert post(inbox, {"type": "receipt", "id": "sms-1", "status": "delivered"}) == 200
    assert states() == ["delivered"]


def test_the_example_delivers_to_a_door(gateway: Example) -> None:
    heard = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        assert gateway.deliver(url, "causerie_x", a_message()) == 200
        thread.join()
    assert heard == [("Bearer causerie_x", a_message())]


def test_only_a_token_with_the_scope_and_the_website_delivers(inbox: Inbox) -> None:
    boss = a_boss()
    for client in (
        Client(),
        Client(headers={"Authorization": "Bearer causerie_wrong"}),
        Client(headers={"Authorization": "Basic x"}),
        with_token(boss, scopes=["inboxes:read", "webhooks:write"]),
        with_token(boss, scopes=["inboxes:write"], websites=[WebsiteFactory()]),
        with_token(UserFactory(role=Role.MANAGER), scopes=["inboxes:write"]),
        with_token(a_boss(is_active=False), scopes=["inboxes:write"]),
        with_token(boss, scopes=["inboxes:write"], expires_at=NOW - timedelta(days=1)),
    ):
        assert post(inbox, a_message(), client) == 403
    assert not InboundMessage.objects.exists()
    mine = with_token(boss, scopes=["inboxes:write"], websites=[inbox.website])
    assert post(inbox, a_message(), mine) == 200


def test_a_session_of_a_browser_is_no_token(inbox: Inbox) -> None:
    client = Client()
    client.force_login(a_boss())
    assert post(inbox, a_message(), client) == 403


@pytest.mark.parametrize(
    "news",
    [
        {},
        [],
        {"type": "message"},
        {"type": "message", "id": "", "from": "x"},
        {"type": "message", "id": 1, "from": None},
        {"type": "message", "id": True, "from": "x"},
        {"type": "message", "id": 1, "from": "x", "files": 5},
        {"type": "message", "id": 1, "from": "x", "files": [{}]},
        {"type": "receipt", "id": 1, "status": "odd"},
        {"type": "other", "id": 1},
    ],
)
def test_what_is_not_described_is_unreadable(inbox: Inbox, news: Any) -> None:
    assert post(inbox, news) == 400
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize(
    ("failure", "wait"),
    [((429, {"Retry-After": "40"}), 40), ((503, {}), 2), ((500, {}), 2)],
)
def test_what_may_pass_is_tried_again_with_the_same_id(
    gateway: Example,
    talk: Conversation,
    clock: time_machine.Traveller,
    failure: tuple[int, dict[str, str]],
    wait: int,
) -> None:
    gateway.fails = [failure]
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    row = OutboundMessage.objects.earliest("seq")
    assert row.due_at == NOW + timedelta(seconds=wait)
    clock.move_to(row.due_at)
    outbound.send_due()
    assert [text for _to, text in gateway.sent] == ["un", "deux"]
    assert gateway.posts[0]["webhook-id"] == gateway.posts[1]["webhook-id"]


def test_a_wrong_secret_is_shown_and_loses_nothing(
    gateway: Example, inbox: Inbox, talk: Conversation, clock: time_machine.Traveller
) -> None:
    right, gateway.secret = gateway.secret, new_secret()
    answer(talk, "Bonjour")
    outbox.deliver_due()
    assert states() == ["owed"]
    assert "signature" in Inbox.objects.get().trouble
    gateway.secret = right
    clock.shift(timedelta(hours=1))
    outbound.send_due()
    assert gateway.sent == [("+33612345678", "Bonjour")]
    assert Inbox.objects.get().trouble == ""


def test_what_will_never_work_says_why(gateway: Example, talk: Conversation) -> None:
    gateway.fails = [(422, {})]
    answer(talk, "un")
    answer(talk, "deux")
    outbox.deliver_due()
    assert states() == ["failed", "sent"]
    assert OutboundMessage.objects.earliest("seq").reason == "no such number"


def test_files_go_out_in_base64(gateway: Example, talk: Conversation) -> None:
    answer_file(talk, PICTURE, "plan.png")
    outbox.deliver_due()
    file = gateway.posts[0]["data"]["file"]
    assert (file["name"], file["content_type"]) == ("plan.png", "image/png")
    assert base64.b64decode(file["content"]).startswith(b"\x89PNG")


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_!!", "whsec_c2hvcnQ="])
def test_a_secret_that_cannot_sign_is_told_when_the_inbox_is_saved(
    inbox: Inbox, secret: str
) -> None:
    inbox.secret = secret
    inbox.save()
    connecting.connect(inbox_id=inbox.pk)
    inbox.refresh_from_db()
    assert "whsec_" in inbox.trouble
