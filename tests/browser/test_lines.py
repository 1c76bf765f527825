"""Disconnects, restarts and several windows: nothing is lost, nothing doubled, all views equal."""

from __future__ import annotations

import re

import psutil
from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

NO_LINE = (
    r"ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_NETWORK|WebSocket"
    r"|htmx:(sendError|afterRequest)"
)


def in_conversation(crowd: Crowd) -> tuple[Visitor, Agent]:
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("first")
    alice.sees("first")
    return visitor, alice


def expect_equal_views(visitor: Visitor, alice: Agent, texts: list[str]) -> None:
    """Compare what both see now with what both would see after a fresh load."""
    again = Visitor(visitor.context, visitor.url).visit()
    again.open()
    again.sees(texts[-1])
    desk = Agent(alice.context, alice.url, alice.name)
    desk.page.goto(alice.page.url)
    desk.sees(texts[-1])
    seen = [visitor.texts(), again.texts(), alice.texts(), desk.texts()]
    assert seen == [texts] * 4
    again.page.close()
    desk.page.close()


def test_the_first_socket_opens_with_the_ticket_of_the_consent(crowd: Crowd) -> None:
    visitor = crowd.visitor()
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.visit()
    visitor.open()
    with visitor.page.expect_websocket() as line:
        visitor.agree()
    assert "ticket=" in line.value.url
    visitor.say("at once")
    expect(visitor.bubble("at once")).to_contain_text("Sent")
    assert not [url for url in asked if url.endswith("/ticket/")]
    # It opened one socket. The next page asks for another.
    with visitor.page.expect_response("**/ticket/") as fresh, visitor.page.expect_websocket():
        visitor.visit()
    assert fresh.value.ok


def test_messages_written_offline_are_sent_once(crowd: Crowd) -> None:
    crowd.expect_complaint(NO_LINE)
    visitor, alice = in_conversation(crowd)
    visitor.context.set_offline(True)
    visitor.say("written in a tunnel")
    expect(visitor.bubble("tunnel")).to_contain_text("Will be sent when you are back online")
    expect(visitor.frame.get_by_text("No connection.")).to_be_visible()
    visitor.box.fill("half a")
    alice.say("Are you still there?")
    visitor.context.set_offline(False)
    alice.sees("written in a tunnel")
    visitor.sees("still there?")
    expect(visitor.box).to_have_value("half a")
    expect(visitor.frame.get_by_text("No connection.")).to_be_hidden()
    expect_equal_views(visitor, alice, alice.texts())
    assert sorted(alice.texts()) == ["Are you still there?", "first", "written in a tunnel"]


def test_agent_messages_survive_a_disconnect(crowd: Crowd) -> None:
    crowd.expect_complaint(NO_LINE)
    visitor, alice = in_conversation(crowd)
    alice.context.set_offline(True)
    expect(alice.page.get_by_text("Connection lost.")).to_be_visible()
    alice.say("from the train")
    alice.reply.fill("and more")
    visitor.say("meanwhile")
    alice.context.set_offline(False)
    visitor.sees("from the train")
    alice.sees("meanwhile")
    expect(alice.page.get_by_text("Connection lost.")).to_be_hidden()
    expect(alice.reply).to_have_value("and more")
    expect_equal_views(visitor, alice, visitor.texts())


def test_killed_web_processes_lose_nothing(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint(NO_LINE)
    visitor, alice = in_conversation(crowd)
    killed = product.web_processes()
    assert len(killed) == 2
    for process in killed:
        process.kill()
    visitor.say("into the void")
    alice.say("from the void")
    psutil.wait_procs(killed, timeout=5)
    product.wait_until_ready()
    expect(visitor.bubble("into the void")).to_contain_text("Read", timeout=20_000)
    expect(alice.bubble("from the void")).to_contain_text("Read", timeout=20_000)
    visitor.say("all is well")
    alice.sees("all is well")
    expect_equal_views(visitor, alice, visitor.texts())
    assert sorted(visitor.texts()) == ["all is well", "first", "from the void", "into the void"]


def test_a_restart_loses_nothing(crowd: Crowd, product: Product) -> None:
    """Step 8: Ctrl-C, start again, and conversation, history and login are there."""
    crowd.expect_complaint(NO_LINE)
    crowd.expect_complaint(r"\b50[0-9]\b")
    visitor, alice = in_conversation(crowd)
    alice.say("Good bye")
    visitor.sees("Good bye")
    alice.act("Close")
    visitor.frame.locator("#survey").get_by_role("button", name="No thanks").click()
    visitor.frame.get_by_role("button", name="Start a new conversation").click()
    visitor.say("second")
    alice.sees("second")
    alice.reply.fill("a draft")
    assert product.stop() == 0
    visitor.say("are you there?")
    product.start()
    expect(alice.bubble("are you there?")).to_be_visible(timeout=20_000)
    expect(alice.status).to_contain_text("available 1/4")
    expect(alice.reply).to_have_value("a draft")
    alice.say("Here again.")
    visitor.sees("Here again.")
    expect_equal_views(visitor, alice, ["second", "are you there?", "Here again."])
    alice.page.reload()
    alice.sees("Here again.")
    visitor.page.reload()
    visitor.open()
    visitor.frame.get_by_text(re.compile("with Alice$")).click()
    expect(visitor.frame.get_by_text("first", exact=True)).to_be_visible()


def test_a_reload_keeps_an_unfinished_text(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    alice.reply.fill("half an answer")
    alice.page.reload()
    expect(alice.reply).to_have_value("half an answer")
    visitor.box.fill("half a question")
    visitor.page.reload()
    visitor.open()
    expect(visitor.box).to_have_value("half a question")


def test_tabs_of_a_visitor_stay_synchronized(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    tab = Visitor(visitor.context, visitor.url).visit("/demo/account/")
    tab.open()
    tab.sees("first")
    tab.say("from the other tab")
    visitor.sees("from the other tab")
    expect(visitor.bubble("other tab")).to_contain_text("Read")
    alice.say("One answer")
    for each in (visitor, tab):
        each.sees("One answer")
    expect_equal_views(visitor, alice, ["first", "from the other tab", "One answer"])
    assert tab.texts() == visitor.texts()


def test_desks_of_an_agent_stay_synchronized(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    second = crowd.agent("alice")
    second.context.clear_cookies()  # a session of its own, as on another device
    second.log_in()
    second.sees("first")
    expect(second.status).to_contain_text("available 1/4")
    alice.say("said once")
    second.sees("said once")
    second.say("and once more")
    alice.sees("and once more")
    assert alice.texts() == second.texts() == ["first", "said once", "and once more"]
    visitor.sees("and once more")
    alice.status.click()
    expect(second.status).to_contain_text("unavailable")
    second.act("Close")
    expect(alice.boxes).to_have_count(0)
    expect(second.boxes).to_have_count(0)
    expect(alice.reply).to_be_hidden()


def test_page_change_keeps_conversation_and_counts_new_messages(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    visitor.reduce()
    visitor.page.get_by_role("link", name="My account").click()
    expect(visitor.launcher).to_be_visible()
    alice.say("Something new")
    expect(visitor.launcher).to_have_accessible_name("Open the chat (1 new message)")
    visitor.open()
    visitor.sees("Something new")
    expect(alice.bubble("Something new")).to_contain_text("Read by the visitor")


def test_the_end_of_a_long_conversation_stays_in_view(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    alice.say("line\n" * 60 + "the end")
    for person in (visitor, alice):
        expect(person.bubble("the end")).to_be_visible()
        person.page.set_viewport_size({"width": 390, "height": 500})
        last = person.log.get_by_text("the end")
        expect(last).to_be_in_viewport()
    # A reader who has scrolled up stays there.
    alice.log.evaluate("node => node.scrollTo(0, 0)")
    visitor.say("still there?")
    expect(alice.bubble("still there?")).not_to_be_in_viewport()
