"""During a conversation the Messenger stays open across pages (C74), and nothing is stored before
the visitor has acted (B13)."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Visitor
from tests.browser.product import SNAPSHOT_MS, Product

OPEN, CLOSED = "Minimise the chat", "Open the chat"
STORED = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"


def test_messenger_stays_open_until_minimized(crowd: Crowd) -> None:
    visitor = crowd.visitor()
    visitor.start("Is it oak?")
    visitor.box.fill("half a sentence")
    visitor.visit("/demo/")
    expect(visitor.launcher).to_have_accessible_name(OPEN)
    visitor.sees("Is it oak?")
    expect(visitor.box).to_have_value("half a sentence")
    # A visitor who reads the page keeps the focus there.
    assert visitor.page.evaluate("document.activeElement === document.body")
    visitor.reduce()
    visitor.visit("/demo/cart/")
    expect(visitor.launcher).to_have_accessible_name(CLOSED)
    # Another tab starts with the Messenger closed.
    visitor.open()
    visitor.sees("Is it oak?")
    other = Visitor(visitor.context, visitor.url).visit("/demo/")
    expect(other.launcher).to_have_accessible_name(CLOSED)


def test_nothing_is_stored_before_a_conversation(crowd: Crowd) -> None:
    visitor = crowd.visitor().visit()
    visitor.open()
    expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
    assert visitor.page.evaluate(STORED) == "[{},{}]"
    visitor.visit("/demo/")
    expect(visitor.launcher).to_have_accessible_name(CLOSED)
    assert visitor.page.evaluate(STORED) == "[{},{}]"


def test_messenger_closes_on_page_change_on_a_phone(crowd: Crowd) -> None:
    visitor = crowd.visitor(viewport={"width": 390, "height": 844})
    visitor.start("Is it oak?")
    visitor.visit("/demo/")
    expect(visitor.launcher).to_have_accessible_name(CLOSED)
    visitor.open()
    visitor.sees("Is it oak?")


def test_website_can_turn_staying_open_off(crowd: Crowd, product: Product) -> None:
    set_stays_open(product, False)
    try:
        visitor = crowd.visitor()
        visitor.start("Is it oak?")
        visitor.visit("/demo/")
        expect(visitor.launcher).to_have_accessible_name(CLOSED)
    finally:
        set_stays_open(product, True)


def set_stays_open(product: Product, wanted: bool) -> None:
    product.rows("UPDATE accounts_website SET stays_open = %s RETURNING id", wanted)
    product.outdate()
    time.sleep(SNAPSHOT_MS / 1000)
