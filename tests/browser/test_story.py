"""One conversation from end to end, as a visitor, two agents and a manager experience it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Board
from tests.browser.product import Product


def test_a_conversation_works_from_first_message_to_survey(crowd: Crowd, product: Product) -> None:
    visitor, alice, bruno = crowd.visitor(), crowd.agent("alice"), crowd.agent("bruno")
    board = Board(crowd.agent("manager"))
    board.watch()
    board.shows(waiting=0, on_desks=0, snoozed=0, closed_today=0)

    # 1. The shop, the button, the greeting, consent, the first message.
    visitor.visit("/demo/")
    visitor.open()
    visitor.sees("Leave us a message")
    visitor.box.fill("Is the lamp still to be had?")
    expect(visitor.frame.get_by_role("heading", name="Before we start")).to_be_visible()
    visitor.agree()
    expect(visitor.box).to_have_value("Is the lamp still to be had?")
    visitor.box.press("Enter")
    expect(visitor.bubble("Is the lamp")).to_contain_text("Sent")
    expect(visitor.frame.get_by_text("You are next in line")).to_be_visible()
    board.shows(waiting=1, on_desks=0)
    board.shows_queue("Équipe de réponse", "1/3")

    # 2. Alice logs in, and the conversation comes to her desk.
    alice.log_in()
    assert alice.boxes.count() == 0
    alice.be_available()
    [(number,)] = product.rows("SELECT id FROM conversations_conversation")
    box = alice.box(number)
    expect(box).to_be_visible()
    for fact in ("Chat", "on site", "Waiting for you"):
        expect(box.get_by_text(fact, exact=True)).to_be_visible()
    expect(box.locator("[data-answered]")).to_have_text("–")  # she has not written yet
    alice.sees("Is the lamp")
    expect(alice.status).to_contain_text("1/4")
    board.shows(waiting=0, on_desks=1)
    board.shows_agent("Alice", "1/4")

    # 3. Both ways, live: typing, ticks, the badge of the reduced Messenger.
    expect(visitor.bubble("Is the lamp")).to_contain_text("Read")
    alice.reply.press_sequentially("Yes")
    expect(visitor.frame.get_by_text("Alice is typing")).to_be_visible()
    alice.reply.fill("")
    alice.say("Yes, two are left.")
    visitor.sees("Yes, two are left.")
    expect(visitor.frame.get_by_text("Alice is answering you")).to_be_visible()
    expect(alice.bubble("two are left")).to_contain_text("Read by the visitor")
    expect(box.get_by_text("Waiting for you", exact=True)).to_be_hidden()
    expect(box.locator("[data-answered]")).not_to_have_text("–")
    visitor.box.press_sequentially("Wonderful")
    expect(alice.page.get_by_text("is typing")).to_be_visible()
    visitor.box.press("Enter")
    alice.sees("Wonderful")
    visitor.reduce()
    expect(visitor.launcher).to_have_accessible_name("Open the chat")
    alice.say("Shall I put one aside?")
    alice.say("It would be until Saturday.")
    expect(visitor.launcher).to_have_accessible_name("Open the chat (2 new messages)")
    expect(alice.bubble("until Saturday")).to_contain_text("Sent")
    visitor.open()
    visitor.sees("until Saturday")
    expect(alice.bubble("until Saturday")).to_contain_text("Read by the visitor")
    expect(visitor.launcher).to_have_accessible_name("Minimise the chat")

    # 4. Snoozed and kept: it comes back to her, although Bruno has more room.
    bruno.log_in()
    bruno.be_available()
    alice.snooze(keep=True)
    expect(box).to_be_hidden()
    expect(alice.status).to_contain_text("0/4")
    board.shows(on_desks=0, snoozed=1)
    visitor.say("Yes please, until Saturday.")
    expect(box).to_be_visible()
    alice.sees("Yes please")
    board.shows(on_desks=1, snoozed=0)
    # Not kept: it returns to the group.
    alice.snooze(keep=False)
    expect(box).to_be_hidden()
    alice.status.click()
    expect(alice.status).to_contain_text("unavailable")
    visitor.say("At what time do you close?")
    expect(bruno.box(number)).to_be_visible()
    bruno.sees("Is the lamp")
    bruno.say("At seven.")
    visitor.sees("At seven.")
    expect(alice.box(number)).to_be_hidden()
    board.shows_agent("Bruno", "1/4")

    # 5. Closed: the survey appears, and is answered.
    bruno.act("Close")
    expect(bruno.box(number)).to_be_hidden()
    survey = visitor.frame
    survey.get_by_role("radio", name="Satisfied", exact=True).check(force=True)
    survey.get_by_role("radio", name="9", exact=True).check(force=True)
    survey.get_by_label("Anything to add?").fill("Kind and quick.")
    survey.get_by_role("button", name="Send feedback").click()
    expect(survey.get_by_text("Thank you! Your feedback helps")).to_be_visible()
    assert product.rows("SELECT csat, nps, comment FROM conversations_survey") == [
        (4, 9, "Kind and quick.")
    ]

    # 6. The manager saw everything without a reload.
    board.shows(waiting=0, on_desks=0, snoozed=0, closed_today=1)
    board.was_never_reloaded()


def test_a_conversation_is_pushed_without_waiting_for_worker_or_beat(
    crowd: Crowd, product: Product
) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    with product.suspended("worker", "beat"):
        for count in range(1, 4):
            crowd.visitor().start("Good morning")
            expect(alice.boxes).to_have_count(count)


def test_messages_arrive_by_socket_alone(crowd: Crowd) -> None:
    crowd.expect_complaint("ERR_FAILED")
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    visitor.start("Good morning")
    alice.sees("Good morning")
    for page in (alice.page, visitor.page):
        page.route(re.compile("after_seq="), lambda route: route.abort())
    for number in range(3):
        visitor.say(f"question {number}")
        alice.sees(f"question {number}")
        alice.say(f"answer {number}")
        visitor.sees(f"answer {number}")
