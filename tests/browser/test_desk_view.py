"""A conversation at the desk: boxes, events, replies, notes."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd

HEIGHTS = """(boxes) => [...new Set(boxes.map((box) => Math.round(box.offsetHeight)))]"""


def test_a_note_never_becomes_a_reply(crowd: Crowd) -> None:
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("Where is my lamp?")
    alice.sees("Where is my lamp?")
    alice.reply.fill("It is on its")
    expect(alice.note).to_be_hidden()

    page = alice.page
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(alice.note).to_be_focused()
    expect(alice.reply).to_be_hidden()
    page.keyboard.type("The courier")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("lost it")
    page.keyboard.press("Control+Enter")
    expect(alice.notes("The courier")).to_contain_text("lost it")
    expect(alice.note).to_have_value("")
    # It stays a note: what is typed next does not go to the visitor by mistake.
    expect(alice.note).to_be_focused()
    page.keyboard.type("Refund?")
    page.keyboard.press("Enter")
    expect(alice.notes("Refund?")).to_be_visible()
    expect(alice.notes("")).to_have_count(2)

    alice.choose("Reply")
    expect(alice.reply).to_have_value("It is on its")
    expect(alice.reply).to_be_focused()
    expect(alice.note).to_be_hidden()
    page.keyboard.press("End")
    page.keyboard.type(" way")
    page.keyboard.press("Control+Enter")
    visitor.sees("It is on its way")
    assert alice.texts() == ["Where is my lamp?", "It is on its way"]
    expect(visitor.frame.get_by_text("courier")).to_have_count(0)


def test_note_stays_a_note_when_the_conversation_reaches_the_desk(crowd: Crowd) -> None:
    visitor, alice, bruno = crowd.visitor(), crowd.agent("alice"), crowd.agent("bruno")
    alice.log_in()
    bruno.log_in().be_available()
    visitor.start("Where is my lamp?")
    bruno.sees("Where is my lamp?")
    number = int(bruno.page.url.split("/")[-2])
    bruno.page.evaluate(
        """(number) => fetch(`/desk/c/${number}/transfer/`).then((answer) => answer.text())""",
        number,
    )
    alice_id = alice.page.locator("#identifier").text_content()
    bruno.page.evaluate(
        """([number, agent]) => fetch(`/desk/c/${number}/transfer/`, {
          method: "POST",
          headers: JSON.parse(document.body.getAttribute("hx-headers")),
          body: new URLSearchParams({ agent }),
        }).then(() => null)""",
        [number, alice_id],
    )
    alice.box(number).click()
    alice.note.click()
    alice.page.keyboard.type("A regular: ")
    expect(alice.reply).to_have_count(0)
    alice.page.evaluate("document.querySelector('.status').click()")  # the focus stays
    expect(alice.reply).to_have_count(1)
    expect(alice.note).to_be_focused()
    alice.page.keyboard.type("be kind")
    alice.page.keyboard.press("Enter")
    expect(alice.notes("A regular: be kind")).to_be_visible()
    assert alice.texts() == ["Where is my lamp?"]


def test_events_appear_live_in_order(crowd: Crowd) -> None:
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("Where is my lamp?")
    alice.say("I shall ask.")
    number = alice.page.url
    alice.snooze(keep=True)
    alice.page.goto(number)
    events = alice.log.locator(".event")
    expect(events.last).to_contain_text("Snoozed by Alice until")
    visitor.say("Any news?")
    alice.sees("Any news?")
    expect(events.filter(has_text="Snooze ended: the visitor replied")).to_be_visible()
    entries = alice.log.locator(".bubble, .event").evaluate_all(
        """(nodes) => nodes.map((node) => node.textContent.replace(/\\s+/g, " ").trim()
          .replace(/(Read by the visitor|Sent)$/, "").replace(/ until .*/, "")
          .replace(/ \\d\\d:\\d\\d$/, ""))"""
    )
    assert entries == [
        "Where is my lamp?",
        "On the desk of Alice",
        "I shall ask.",
        "Snoozed by Alice",
        "Snooze ended: the visitor replied",
        "Any news?",
    ]


def test_boxes_show_last_message_and_wait_at_equal_heights(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    one, two = crowd.visitor(), crowd.visitor()
    one.start("Hello?")
    alice.sees("Hello?")
    two.start("A question that is much too long for the one line that a box has for it, " * 3)
    expect(alice.boxes).to_have_count(2)
    first = alice.boxes.nth(0)
    last = first.locator("[data-last-message]")
    clock = first.locator("[data-waits]")
    expect(last).to_have_text("Hello?")
    expect(clock).to_be_visible()
    since = clock.get_attribute("datetime")
    one.say("Anybody?")
    expect(last).to_have_text("Anybody?")
    expect(clock).to_have_attribute("datetime", since or "")  # since the first message
    assert len(alice.boxes.evaluate_all(HEIGHTS)) == 1
    alice.say("Yes!")
    expect(last).to_have_text("You: Yes!")
    expect(clock).to_be_hidden()
    assert len(alice.boxes.evaluate_all(HEIGHTS)) == 1
    alias = first.locator(".name").text_content() or ""
    assert re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", alias)
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(alias)
    expect(alice.log.locator(".author").first).to_have_text(alias)
    alice.page.get_by_role("button", name="Smaller boxes").click()
    expect(alice.page.get_by_role("button", name="Larger boxes")).to_be_visible()
    assert len(alice.boxes.evaluate_all(HEIGHTS)) == 1


def test_asynchronous_label_has_a_tooltip_for_mouse_and_keyboard(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    crowd.visitor().start("Hello?")
    alice.sees("Hello?")
    label = alice.page.get_by_role("button", name="Asynchronous", exact=True)
    tip = alice.page.get_by_role("tooltip", include_hidden=True)
    sentence = "no immediate answer is needed"
    for count in (1, 4):
        name = {1: "One conversation", 4: "Four conversations in a grid"}[count]
        alice.page.get_by_role("button", name=name, exact=True).click()
        expect(label).to_have_accessible_description(re.compile(sentence))
        expect(tip).to_be_hidden()
        label.focus()
        expect(tip).to_be_visible()
        alice.page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        label.blur()
        label.hover()
        expect(tip).to_be_visible()
        alice.page.mouse.move(0, 0)
        expect(tip).to_be_hidden()
