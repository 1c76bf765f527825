"""Tags at the desk: by one key or one click, found again, and in the administration."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.people import Agent
from tests.browser.product import Product
from tests.browser.test_every_page import inaccessible

TAGS = "('Late', 'Delivery', 'orange', 'The parcel has not come.'), ('Lost', 'Delivery', 'red', '')"


@pytest.fixture(autouse=True)
def tags(product: Product) -> Iterator[None]:
    product.rows(
        "INSERT INTO conversations_tag (website_id, name, category, colour, description)"
        " SELECT w.id, t.* FROM accounts_website w, (VALUES " + TAGS + ","
        " ('Refund', 'Money', 'green', ''), ('Étiquette', '', 'blue', ''))"
        " AS t (name, category, colour, description) WHERE w.key = 'demo' RETURNING id"
    )
    yield
    product.rows(
        "WITH marks AS (DELETE FROM conversations_conversationtag RETURNING id),"
        " lines AS (DELETE FROM conversations_reasonevent RETURNING id)"
        " SELECT (SELECT count(*) FROM marks), (SELECT count(*) FROM lines)"
    )
    product.rows("DELETE FROM conversations_tag RETURNING id")


def photograph(page: Page, name: str) -> None:
    """Save a picture where one is asked for."""
    if folder := os.environ.get("PICTURES"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png")
        page.emulate_media(color_scheme="light")


def with_a_conversation(crowd: Crowd, **options: object) -> Agent:
    alice = crowd.agent("alice", **options).log_in().be_available()
    crowd.visitor().start("Where is my parcel?")
    alice.sees("Where is my parcel?")
    return alice


def test_tag_is_added_by_two_keys_and_removed_by_a_click(crowd: Crowd) -> None:
    alice = with_a_conversation(crowd)
    page, keys = alice.page, alice.page.keyboard
    on_it = page.get_by_role("list", name="Tags").get_by_role("listitem")
    options = page.get_by_role("option")
    search = page.get_by_role("combobox", name="Search tags")

    # "#" in the empty reply, a few letters, Enter. The reply is empty again.
    alice.reply.focus()
    keys.press("#")
    expect(search).to_be_focused()
    expect(options).to_have_count(4)
    assert inaccessible(page) == []
    photograph(page, "tag-picker")
    keys.type("etiq")
    expect(options.filter(visible=True)).to_have_count(1)
    keys.press("Enter")
    expect(on_it).to_have_text("Étiquette")
    expect(alice.reply).to_be_focused()
    expect(alice.reply).to_have_value("")
    expect(alice.log.get_by_text("Tagged by Alice: Étiquette")).to_be_visible()

    # Outside of texts, the key: the first tag by "#" and Enter.
    keys.press("Escape")
    keys.press("#")
    expect(options).to_have_count(3)
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(on_it).to_have_count(2)
    assert inaccessible(page) == []
    photograph(page, "tagged")

    # "order #12" is text, and so is a "#" after which one goes back.
    alice.reply.fill("order ")
    alice.reply.press("#")
    expect(alice.reply).to_have_value("order #")
    alice.reply.fill("")
    keys.press("#")
    keys.type("zz")
    expect(page.get_by_text("No tag contains these words.")).to_be_visible()
    keys.press("Escape")
    expect(search).to_be_hidden()
    expect(alice.reply).to_have_value("#zz")

    page.get_by_role("button", name="Remove the tag “Étiquette”").click()
    expect(on_it).to_have_count(1)
    expect(alice.log.get_by_text("Tag removed by Alice: Étiquette")).to_be_visible()


def test_conversation_is_found_by_its_tag(crowd: Crowd) -> None:
    alice = with_a_conversation(crowd)
    page = alice.page
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_role("option", name="Lost").click()
    expect(page.get_by_role("list", name="Tags").get_by_role("listitem")).to_have_text("Lost")
    page.goto(f"{alice.url}/desk/find/")
    page.get_by_label("Tag", exact=True).select_option(label="Delivery › Lost · Maison Céleste")
    page.get_by_role("button", name="Search", exact=True).click()
    results = page.get_by_role("link").filter(has_text="Where is my parcel?")
    expect(results).to_have_count(1)
    page.get_by_label("Tag", exact=True).select_option(label="Delivery › Late · Maison Céleste")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("No conversation")).to_be_visible()
    expect(results).to_have_count(0)


def test_tag_on_a_phone_in_french(crowd: Crowd) -> None:
    french = Language("fr")
    alice = crowd.agent(
        "alice", locale="fr-FR", viewport={"width": 390, "height": 780}, has_touch=True
    )
    alice.translate = french
    alice.log_in().be_available()
    crowd.visitor().start("Où est mon colis ?")
    page = alice.page
    alice.boxes.first.click()
    alice.sees("Où est mon colis ?")
    page.get_by_role("button", name=french("Visitor and actions")).click()
    page.get_by_role("button", name=french("Add a tag")).click()
    expect(page.get_by_role("combobox", name=french("Search tags"))).to_be_visible()
    assert inaccessible(page) == []
    photograph(page, "tag-picker-phone-fr")
    page.get_by_role("option", name="Refund").click()
    on_it = page.get_by_role("list", name=french("Tags")).get_by_role("listitem")
    expect(on_it).to_have_text("Refund")
    assert inaccessible(page) == []
    photograph(page, "tagged-phone-fr")


def test_manager_reads_why_customers_write(crowd: Crowd) -> None:
    alice = with_a_conversation(crowd)
    alice.page.get_by_role("button", name="Add a tag").click()
    alice.page.get_by_role("option", name="Lost").click()
    on_it = alice.page.get_by_role("list", name="Tags").get_by_role("listitem")
    expect(on_it).to_have_text("Lost")
    manager = crowd.agent("manager").log_in("/reports/reasons/?period=today")
    page = manager.page
    row = page.get_by_role("row").filter(has_text="Lost")
    expect(row.get_by_role("cell").first).to_have_text("1")
    assert inaccessible(page) == []
    photograph(page, "reasons")
    page.set_viewport_size({"width": 390, "height": 780})
    assert inaccessible(page) == []
    photograph(page, "reasons-phone")
    page.set_viewport_size({"width": 1280, "height": 800})
    behind = row.get_by_role("link").first
    narrowed = re.search(r"tag=\d+", behind.get_attribute("href") or "")
    assert narrowed is not None
    behind.click()
    expect(page.get_by_role("link", name="#", exact=False).first).to_be_visible()
    page.goto(f"{manager.url}/reports/reasons/?period=today&{narrowed[0]}")
    expect(row.get_by_role("cell").first).to_have_text("1")


def test_manager_adds_and_merges_tags(crowd: Crowd) -> None:
    manager = crowd.agent("manager").log_in("/admin/conversations/tag/")
    page = manager.page
    expect(page.get_by_role("link", name="Refund")).to_be_visible()
    assert inaccessible(page) == []
    photograph(page, "admin-tags")
    page.get_by_role("row").filter(has_text="Lost").get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action:").select_option(label="Merge into another tag…")
    page.get_by_role("button", name="Go", exact=True).click()
    page.get_by_label("Merge into:").select_option(label="Delivery › Late")
    assert inaccessible(page) == []
    photograph(page, "admin-merge")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_text("merged into “Late”")).to_be_visible()
    page.get_by_role("link", name="Late", exact=True).click()
    expect(page.get_by_label("Category")).to_have_value("Delivery")
    assert inaccessible(page) == []
    photograph(page, "admin-tag")
