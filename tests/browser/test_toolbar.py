"""The toolbar beside a conversation: live page views, notes with mentions, applications."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent
from tests.browser.product import Product

# A message that is not from one of the desk's applications, but from the desk's own window.
FORGED = """() => window.postMessage({
  causerie: 1, type: "insert", text: "forged",
  conversation: Number(location.pathname.split("/")[3])
}, location.origin)"""


def test_toolbar_shows_page_views_notes_and_applications(crowd: Crowd) -> None:
    visitor, alice, bruno = crowd.visitor(), crowd.agent("alice"), crowd.agent("bruno")
    bruno.log_in()
    alice.log_in().be_available()
    visitor.visit("/demo/account/")
    visitor.page.get_by_role("button").filter(has_text="Jeanne").first.click()
    expect(visitor.page.get_by_role("heading", name="Hello, Jeanne")).to_be_visible()
    visitor.start("Where is my lamp?")
    alice.sees("Where is my lamp?")
    toolbar = alice.page.get_by_role("complementary", name="Visitor and actions")
    expect(toolbar.get_by_text("C-1042")).to_be_visible()
    visitor.visit("/demo/account/")
    expect(toolbar.locator(".seen li")).to_have_count(2)  # by the socket, without a reload

    toolbar.get_by_text("Orders", exact=True).click()
    app = alice.page.frame_locator("iframe[title=Orders]")
    expect(app.get_by_text("Jeanne Martin")).to_be_visible()
    alice.reply.fill("Your order: ")
    alice.page.evaluate(FORGED)
    app.get_by_role("button").first.click()
    expect(alice.reply).to_have_value(re.compile("^Your order: CEL-2041.*"))
    assert "forged" not in alice.reply.input_value()
    assert alice.texts() == ["Where is my lamp?"]  # nothing was sent
    alice.reply.fill("")

    alice.choose("Note")
    note = alice.note
    note.press_sequentially("Ask @br")
    expect(alice.page.get_by_role("option", name="Bruno")).to_be_visible()
    note.press("Enter")
    note.press_sequentially("please")
    expect(note).to_have_value("Ask @Bruno please")
    note.page.reload()
    expect(note).to_have_value("Ask @Bruno please")  # the draft is still there
    alice.choose("Note")
    alice.page.get_by_role("button", name="Save note").click()
    expect(note).to_have_value("")
    expect(alice.notes("@Bruno")).to_be_visible()
    bruno.page.get_by_role("link", name=re.compile("Alice mentioned you")).click()
    expect(bruno.notes("visible only to the team")).to_be_visible()
    expect(visitor.frame.get_by_text("@Bruno")).to_have_count(0)


def test_unresponsive_application_is_reported(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("ERR_CONNECTION_REFUSED|chrome-error")
    product.rows(
        "INSERT INTO accounts_toolbarapp (website_id, name, url, position, is_enabled, secret) "
        "VALUES (1, 'Dead', 'http://localhost:1/', 9, true, 'x') RETURNING id"
    )
    try:
        visitor = crowd.visitor()
        alice: Agent = crowd.agent("alice")
        alice.page.clock.install()
        alice.log_in().be_available()
        visitor.start("Good morning")
        alice.sees("Good morning")
        alice.page.get_by_text("Dead", exact=True).click()
        expect(alice.page.get_by_text("Loading…")).to_be_visible()
        alice.page.clock.fast_forward(10_000)
        expect(alice.page.get_by_text("This application is not responding.")).to_be_visible()
        expect(alice.page.get_by_role("button", name="Try again")).to_be_visible()
    finally:
        product.rows("DELETE FROM accounts_toolbarapp WHERE name = 'Dead' RETURNING id")
