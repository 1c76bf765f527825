"""Thirty disconnects at random moments while both sides write at full speed (B5, invariant 5)."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import Crowd
from tests.browser.disconnects import Connection
from tests.browser.people import Agent, Visitor

CUTS = 30
FEWEST = 20  # messages of each side; with fewer, the cuts met nobody who was writing
SEED = 4
BUSY_MS = 150_000  # on a busy machine; a quiet one needs ten seconds
WRITE = """([prefix, box, form]) => {
  const field = document.querySelector(box);
  (async () => {
    for (window.written = 0; !window.isEnough; ) {
      field.value = `${prefix}${(window.written += 1)}`;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      document.querySelector(form).requestSubmit();
      do await new Promise((resolve) => setTimeout(resolve, 4));
      while (document.querySelectorAll(".pending").length > 4);
    }
  })();
}"""
END = "() => { window.isEnough = true; return window.written; }"
ONLINE = "dispatchEvent(new Event('online'))"  # what a browser fires when it is online again


@pytest.fixture
def line(crowd: Crowd) -> Iterator[Connection]:
    connection = Connection(crowd.product.port)
    yield connection
    connection.stop()


def test_messages_survive_thirty_disconnects_complete_and_in_order(
    crowd: Crowd, line: Connection
) -> None:
    crowd.expect_complaint(r"ERR_|WebSocket|Failed to fetch")
    # htmx's error for a fragment whose connection was cut; the desk requests it again.
    crowd.expect_complaint(r"^htmx:(sendError|afterRequest)|^uncaught: undefined$")
    alice = Agent(crowd.context(), line.url, "alice")
    crowd.agents.append(alice)
    alice.context.add_cookies(crowd.product.sessions.get("alice", []))
    visitor = Visitor(crowd.context(), line.url)
    alice.log_in().be_available()
    visitor.start("first")
    alice.sees("first")
    messenger = next(frame for frame in visitor.page.frames if "/messenger/" in frame.url)
    number = alice.page.locator(".dialogue").get_attribute("data-number")
    ends: list[Frame | Page] = [messenger, alice.page]
    messenger.evaluate(WRITE, ["v", "#text", "#composer"])
    alice.page.evaluate(WRITE, ["a", f"#reply-{number}", f"#composer-{number}"])

    chance = random.Random(SEED)
    for _ in range(CUTS):
        time.sleep(chance.uniform(0.02, 0.3))
        line.cut()
        time.sleep(chance.uniform(0, 0.08))
        line.heal()
        for end in ends:
            end.evaluate(ONLINE)
    assert line.broken >= CUTS
    written = dict(zip("va", (end.evaluate(END) for end in ends), strict=True))
    assert min(written.values()) >= FEWEST, written

    all_of_it = sum(written.values()) + 1
    expect(visitor.log.locator("li.mine, li.theirs:not(:first-child)")).to_have_count(
        all_of_it, timeout=BUSY_MS
    )
    expect(visitor.log.locator(".pending")).to_have_count(0, timeout=BUSY_MS)
    expect(alice.log.locator(".bubble")).to_have_count(all_of_it, timeout=BUSY_MS)
    seen = visitor.texts()
    assert alice.texts() == seen
    for prefix, count in written.items():
        received = [text for text in seen if text.startswith(prefix)]
        assert received == [f"{prefix}{number}" for number in range(1, count + 1)]
    stored = crowd.product.rows("SELECT body FROM conversations_message ORDER BY seq")
    assert [body for (body,) in stored] == seen
