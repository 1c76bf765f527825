"""The clients in ``examples/api`` against the running API, over HTTP."""

from __future__ import annotations

import importlib.util
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import sync_playwright

from accounts import tokens
from accounts.models import Group, Role
from conversations.models import Conversation, Message
from tests.api_clients import EVERY_SCOPE
from tests.factories import AgentFactory, StepFactory, on_desk, queued

pytestmark = pytest.mark.django_db(transaction=True)
FOLDER = Path(__file__).parents[3] / "examples" / "api"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("causerie_client", FOLDER / "causerie.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


client = load()


@pytest.fixture
def talk() -> Conversation:
    cache.clear()
    step = StepFactory(places=10)
    agent = AgentFactory(user__role=Role.ADMIN)
    step.group.members.add(agent)
    return on_desk(step, agent)


@pytest.fixture
def token(talk: Conversation) -> str:
    assert talk.agent is not None
    user = talk.agent.user
    return tokens.make(user, name="t", scopes=EVERY_SCOPE, at=timezone.now())[1]


@pytest.fixture
def api(live_server: Any, token: str) -> Any:
    return client.Causerie(live_server.url, token)


# --- Python


def test_it_reads_lists_page_by_page(api: Any, talk: Conversation) -> None:
    assert talk.queue is not None
    others = [queued(talk.queue) for _ in range(4)]
    numbers = [row["number"] for row in api.pages("conversations", page_size=2)]
    assert numbers == [one.pk for one in reversed([talk, *others])]
    assert [row["number"] for row in api.pages("conversations", status="active")] == [talk.pk]


def test_it_writes_with_a_file_and_follows_what_happens(api: Any, talk: Conversation) -> None:
    happenings = api.follow(pause=0.01)
    threading.Timer(0.5, lambda: api.send(talk.pk, "Bonjour")).start()
    cursor, _entries = next(happenings)
    while not Message.objects.exists():
        cursor, _entries = next(happenings)
    file = api.upload(talk.pk, "list.csv", b"a;b\n")
    sent = api.send(talk.pk, "Here it is", attachment=file)
    assert sent["attachment"]["name"] == "list.csv"
    bodies: list[str] = []
    for _cursor, entries in api.follow(cursor, pause=0.01):
        bodies += [one["message"]["body"] for one in entries if one["type"] == "message"]
        if bodies:
            break
    assert bodies[-1] == "Here it is"


def test_it_edits_anew_if_somebody_was_faster(api: Any, talk: Conversation) -> None:
    seen: list[str] = []

    def rename(row: dict[str, Any]) -> dict[str, Any]:
        seen.append(row["name"])
        if len(seen) == 1:
            Group.objects.update(name="By somebody else")
        return {"name": f"{row['name']}!"}

    assert api.edit(f"groups/{talk.group_id}", rename)["name"] == "By somebody else!"
    assert len(seen) == 2


def test_a_refusal_has_its_code_and_its_sentence(api: Any, talk: Conversation) -> None:
    with pytest.raises(client.Refused) as refused:
        api.get("conversations/999999")
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    with pytest.raises(client.Refused) as invalid:
        api.post(f"conversations/{talk.pk}/snooze")
    assert list(invalid.value.fields) == ["until"]


def test_it_sends_its_token_to_no_other_server(api: Any) -> None:
    with pytest.raises(ValueError, match="another server"):
        api.get("https://example.com/api/v1/conversations/")


def test_it_follows_no_redirect_with_its_token() -> None:
    heard: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/other/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = client.Causerie(f"http://127.0.0.1:{server.server_port}", "causerie_x")
    try:
        with pytest.raises(client.Refused):
            api.get("agents")
    finally:
        server.shutdown()
        server.server_close()
    assert heard == ["/api/v1/agents/"]
    with pytest.raises(ValueError, match="root"):
        client.Causerie("file:///etc", "causerie_x")


def test_it_repeats_with_the_same_key_after_the_time_that_it_was_told() -> None:
    heard: list[tuple[str, str]] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Idempotency-Key"]))
            self.send_response(503 if len(heard) < 3 else 201)
            self.send_header("Retry-After", "7")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    waits: list[float] = []
    api = client.Causerie(f"http://127.0.0.1:{server.server_port}", "causerie_x")
    api.sleep = waits.append
    try:
        assert api.post("skills", name="x") == {}
    finally:
        server.shutdown()
        server.server_close()
    assert waits == [7.0, 7.0]
    assert {path for path, _key in heard} == {"/api/v1/skills/"}
    assert len({key for _path, key in heard}) == 1


# --- JavaScript, in Chromium: nobody needs Node

SCRIPT = """async ([token, number, group]) => {
  const { Causerie, Refused } = await import("/causerie.mjs");
  const api = new Causerie(location.origin, token);
  const numbers = [];
  for await (const row of api.pages("conversations", { page_size: 2 })) numbers.push(row.number);
  const { next: begin } = await api.get("events", { after: "now" });
  const file = await api.upload(number, "list.csv", new TextEncoder().encode("a;b"));
  const sent = await api.send(number, "Bonjour", { attachment: file });
  const edited = await api.edit(`groups/${group}`, (row) => ({ name: `${row.name}!` }));
  let refusal;
  try {
    await api.get("conversations/999999");
  } catch (error) {
    refusal = [error instanceof Refused, error.status, error.code];
  }
  for await (const { entries } of api.follow(begin, { pause: 0.05 })) {
    const bodies = entries.filter((one) => one.message).map((one) => one.message.body);
    if (bodies.length) return { numbers, file: sent.attachment.name, edited, refusal, bodies };
  }
}"""


def test_the_javascript_client_does_the_same(
    live_server: Any, token: str, talk: Conversation
) -> None:
    assert talk.queue is not None
    others = [queued(talk.queue) for _ in range(2)]
    program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/blank", lambda route: route.fulfill(body="", content_type="text/html"))
        module = (FOLDER / "causerie.mjs").read_text()
        page.route(
            "**/causerie.mjs",
            lambda route: route.fulfill(body=module, content_type="text/javascript"),
        )
        page.goto(f"{live_server.url}/blank")
        result = page.evaluate(SCRIPT, [token, talk.pk, talk.group_id])
        browser.close()
    assert result["numbers"] == [one.pk for one in reversed([talk, *others])]
    assert (result["file"], result["bodies"]) == ("list.csv", ["Bonjour"])
    assert result["edited"]["name"] == Group.objects.get(pk=talk.group_id).name
    assert result["refusal"] == [True, 404, "not_found"]
