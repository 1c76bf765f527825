"""Articles: written in the settings, read by visitors, found and inserted at the desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent
from tests.browser.product import Product
from tests.browser.test_every_page import inaccessible

BODY = """Within **48 hours** in France:

- by post
- to our shops

| Country | Days |
|---------|------|
| Spain   | 3    |
"""


@pytest.fixture(scope="module", autouse=True)
def leave_no_articles(product: Product) -> Iterator[None]:
    yield
    product.rows(
        "WITH gone AS (DELETE FROM conversations_articleuse RETURNING id)"
        " DELETE FROM conversations_article RETURNING id"
    )


def write_an_article(admin: Agent, name: str, **fields: str) -> None:
    page = admin.page
    page.goto(f"{admin.url}/admin/conversations/article/add/")
    page.get_by_label("Website").select_option(index=1)
    page.get_by_label("Language").select_option("en")
    page.get_by_label("Title").fill(name)
    page.get_by_role("textbox", name="Text").fill(fields.get("body", BODY))
    page.get_by_label("Who can read it").select_option(fields.get("audience", "public"))
    page.get_by_label("State").select_option("published")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def test_an_article_is_previewed_published_and_read(crowd: Crowd) -> None:
    admin = crowd.agent("admin").log_in("/admin/")
    write_an_article(admin, "Delivery times")
    with admin.page.expect_popup() as opened:
        admin.page.get_by_role("button", name="Preview in a new tab").click()
    preview = opened.value
    expect(preview.get_by_role("heading", name="Delivery times")).to_be_visible()
    expect(preview.get_by_text("not saved yet")).to_be_visible()
    save(admin.page)
    admin.page.get_by_role("link", name="Open").first.click()
    expect(admin.page.get_by_role("cell", name="Spain")).to_be_visible()
    assert inaccessible(admin.page) == []
    admin.page.get_by_role("link", name="All articles").click()
    admin.page.get_by_role("searchbox").fill("48 hour")
    admin.page.get_by_role("button", name="Search").click()
    expect(admin.page.get_by_role("link", name="Delivery times")).to_be_visible()
    assert inaccessible(admin.page) == []


def test_a_suggested_article_is_inserted_with_one_click(crowd: Crowd) -> None:
    admin = crowd.agent("admin").log_in("/admin/")
    write_an_article(admin, "Lost parcels")
    save(admin.page)
    write_an_article(admin, "Parcels: whom we call", audience="agents", body="The carrier.")
    save(admin.page)
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    visitor.start("What about lost parcels?")
    alice.page.goto(f"{alice.url}/desk/")
    alice.sees("What about lost parcels?")
    offered = alice.page.get_by_role("group", name="Suggested replies")
    expect(offered.get_by_role("link", name="Parcels: whom we call")).to_be_visible()
    assert inaccessible(alice.page) == []
    with alice.page.expect_popup() as opened:
        offered.get_by_role("link", name="Read “Lost parcels” in a new tab").click()
    expect(opened.value.get_by_role("heading", name="Lost parcels")).to_be_visible()
    offered.get_by_role("button", name="Lost parcels").click()
    expect(alice.reply).to_have_value("Lost parcels\n" + visitors_page(crowd, "Lost parcels"))


def visitors_page(crowd: Crowd, name: str) -> str:
    [(pk, key)] = crowd.product.rows(
        "SELECT a.id, w.key FROM conversations_article a JOIN accounts_website w"
        " ON w.id = a.website_id WHERE a.name = %s",
        name,
    )
    return f"{crowd.product.url}/help/{key}/{pk}/{name.lower().replace(' ', '-')}/"


def test_a_visitor_reads_an_article_before_the_first_message(crowd: Crowd) -> None:
    admin = crowd.agent("admin").log_in("/admin/")
    write_an_article(admin, "Changing the size of a ring")
    save(admin.page)
    visitor = crowd.visitor()
    visitor.visit()
    visitor.open()
    frame = visitor.frame
    box = frame.get_by_role("textbox", name="Your message")
    box.press_sequentially("I need another size of my ring")
    offer = frame.get_by_role("button", name="Changing the size of a ring")
    expect(offer).to_be_visible()
    assert crowd.product.rows("SELECT id FROM conversations_visitor") == []
    offer.click()
    dialog = frame.get_by_role("dialog", name="Changing the size of a ring")
    expect(dialog.get_by_role("cell", name="Spain")).to_be_visible()
    dialog.get_by_role("button", name="This answered my question").click()
    expect(frame.get_by_text("You can still write to us")).to_be_visible()
    expect(box).to_have_value("I need another size of my ring")
    box.press_sequentially(", and a new stone for the ring")
    offer.click()
    dialog.get_by_role("button", name="I would rather write").click()
    frame.get_by_role("button", name="I accept").click()
    frame.get_by_role("button", name="Send").click()
    expect(offer).to_be_hidden()
    expect(frame.get_by_text("We received your message.")).to_be_visible()
    read = "SELECT u.reads, u.answers FROM conversations_articleuse u"
    assert crowd.product.rows(read) == [(2, 1)]
    sent = crowd.product.rows("SELECT body FROM conversations_message WHERE author = 'visitor'")
    assert sent == [("I need another size of my ring, and a new stone for the ring",)]
