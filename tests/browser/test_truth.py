"""The Messenger shows who answers, and every open conversation of the person."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Visitor
from tests.browser.product import Product


def expect_header(visitor: Visitor, line: str | re.Pattern[str]) -> None:
    """Expect this text in the Messenger's header."""
    expect(visitor.frame.get_by_role("banner").get_by_role("status")).to_have_text(line)


def test_messenger_header_describes_each_state(crowd: Crowd, product: Product) -> None:
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    visitor.start("Is the lamp still to be had?")
    expect_header(visitor, "Usually replies within a few hours")
    alice.log_in()
    alice.be_available()
    [(number,)] = product.rows("SELECT id FROM conversations_conversation")
    expect(alice.box(number)).to_be_visible()
    expect_header(visitor, re.compile("Alice received your message"))
    alice.say("Yes, two are left.")
    expect_header(visitor, re.compile("Alice is answering you"))
    alice.snooze(keep=True)
    expect_header(visitor, "Paused. You can write at any time")
    visitor.say("And in brass?")
    expect_header(visitor, re.compile("Alice received your message"))

    # The lid is closed: nobody is answering, and the Messenger does not claim so.
    product.rows(
        "UPDATE conversations_conversation SET last_agent_message_at = now() - interval '1 hour' "
        "RETURNING id"
    )
    alice.page.close()
    product.rows(
        "UPDATE routing_deskconnection SET heard_at = now() - interval '2 minutes' RETURNING id"
    )
    expect_header(visitor, re.compile("Alice is away at the moment"))
    expect(visitor.frame.get_by_text("Alice is not online at the moment.")).to_be_visible()


def test_person_keeps_conversations_of_both_browsers(crowd: Crowd) -> None:
    phone, laptop = crowd.visitor(viewport={"width": 390, "height": 844}), crowd.visitor()
    phone.start("Where is my order?")
    laptop.start("Do you gift-wrap?")
    for browser in (laptop, phone):  # The laptop is known first, and hears of the phone.
        browser.visit("/demo/account/")
        hello = browser.page.get_by_role("heading", name="Hello, Jeanne Martin")
        with browser.page.expect_response("**/identity/"):
            browser.page.get_by_role("button", name="Jeanne Martin").click()
            expect(hello).to_be_visible()
            browser.open()
    phone.sees("Where is my order?")
    laptop.sees("Do you gift-wrap?")
    others = laptop.frame.get_by_role("navigation", name="Your other open conversations")
    other = others.get_by_role("button")
    expect(other).to_have_count(1)

    # What arrives in the other one is counted, and can be read there.
    phone.reduce()
    alice = crowd.agent("alice")
    alice.log_in()
    alice.be_available()
    alice.boxes.filter(has_text="Where is my order?").click()
    alice.sees("Where is my order?")
    alice.say("It left us today.")
    expect(other).to_contain_text("1 new message")
    expect(other).to_contain_text("with Alice")
    laptop.reduce()
    expect(laptop.launcher).to_have_accessible_name("Open the chat (1 new message)")
    laptop.open()
    other.click()
    laptop.sees("It left us today.")
    expect(laptop.log.get_by_text("Do you gift-wrap?")).to_have_count(0)
    expect(other).not_to_contain_text("new message")
    laptop.say("Thank you!")
    phone.open()
    phone.sees("Thank you!")
    laptop.visit()  # on the next page this conversation is still shown
    laptop.open()
    laptop.sees("Thank you!")
    other.click()
    laptop.sees("Do you gift-wrap?")
