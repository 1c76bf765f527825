"""Isolation: visitors see only their own conversations, agents only their groups', and nobody any
after logout."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent
from tests.browser.product import Product

ASK = """async ([path, method]) => {
  const token = localStorage.getItem("causerie:demo:token");
  const response = await fetch(`/messenger/demo/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: method === "GET" ? undefined : JSON.stringify({
      client_id: crypto.randomUUID(), body: "not mine", seq: 1, csat: 1, nps: 0, comment: "",
    }),
  });
  return response.status;
}"""


def test_visitor_cannot_open_conversation_of_another_visitor(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("404")
    crowd.visitor().start("a secret")
    [(theirs,)] = product.rows("SELECT public_id::text FROM conversations_conversation")
    other = crowd.visitor()
    other.start("something else")
    frame = other.page.frame(url=lambda url: "/messenger/demo/" in url)
    assert frame is not None
    [(mine,)] = product.rows(
        "SELECT public_id::text FROM conversations_conversation WHERE public_id::text <> %s", theirs
    )
    assert frame.evaluate(ASK, [f"conversations/{mine}/messages/", "GET"]) == 200
    for path, method in (
        ("messages/?after_seq=0", "GET"),
        ("messages/", "POST"),
        ("survey/", "POST"),
    ):
        assert frame.evaluate(ASK, [f"conversations/{theirs}/{path}", method]) == 404, path
    # Reporting a message as read returns nothing, so check that here it changes nothing either.
    product.rows("UPDATE conversations_conversation SET visitor_read_seq = 0 RETURNING id")
    frame.evaluate(ASK, [f"conversations/{theirs}/read/", "POST"])
    assert product.rows("SELECT max(visitor_read_seq) FROM conversations_conversation") == [(0,)]
    assert product.rows("SELECT count(*) FROM conversations_message WHERE body = 'not mine'") == [
        (0,)
    ]


def test_conversation_of_another_group_is_not_found(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("404")
    crowd.visitor().start("for the team")
    [(number,)] = product.rows("SELECT id FROM conversations_conversation")
    emma = crowd.agent("emma").log_in()
    for path in ("", "messages/?after_seq=0", "snooze/"):
        answer = emma.context.request.get(f"{product.url}/desk/c/{number}/{path}")
        assert answer.status == 404, path
    answer = emma.page.goto(f"{product.url}/desk/c/{number}/")
    assert answer is not None
    assert answer.status == 404
    expect(emma.page.get_by_role("heading", name="Page not found")).to_be_visible()
    board = emma.page.goto(f"{product.url}/reports/production/")
    assert board is not None
    assert board.status == 404


def test_logging_out_ends_all_desks_of_the_session(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    second = Agent(alice.context, alice.url, "alice")
    second.page.goto(f"{alice.url}/desk/")
    expect(second.status).to_contain_text("available")
    sockets: list[str] = []
    second.page.on("websocket", lambda socket: sockets.append(socket.url))
    alice.log_out()
    second.page.wait_for_url("**/login/**")
    assert sockets == []
    alice.log_in()
    expect(alice.status).to_contain_text("unavailable")


def test_messages_are_never_interpreted_as_markup(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    hostile = "<img src=x onerror=alert(1)><b hx-get='/desk/' hx-trigger=load>b</b> javascript:a(1)"
    visitor.start(hostile)
    alice.sees("onerror")
    answer = hostile.replace("onerror", "onload")
    alice.say(answer)
    visitor.sees("onload")
    assert alice.texts() == visitor.texts() == [hostile, answer]
    assert alice.log.locator("img, b, a").count() == 0
    assert visitor.log.locator("img, b, a").count() == 0
