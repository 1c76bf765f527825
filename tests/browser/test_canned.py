"""Canned replies in the composer: with the keyboard alone, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent
from tests.browser.product import Product
from tests.browser.test_every_page import inaccessible


@pytest.fixture(scope="module", autouse=True)
def leave_the_library_as_it_was(product: Product) -> Iterator[None]:
    yield
    product.rows(
        "WITH gone AS (DELETE FROM conversations_cannedfile RETURNING reply_id)"
        " DELETE FROM conversations_cannedreply WHERE agent_id IS NOT NULL RETURNING id"
    )


def save_a_reply(alice: Agent, file: Path) -> None:
    page = alice.page
    page.goto(f"{alice.url}/desk/replies/")
    page.get_by_role("link", name="New reply").click()
    page.get_by_label("Title").fill("Price list")
    page.get_by_label("Shortcut").fill("prices")
    page.get_by_label("Text").fill("Dear {visitor_name|customer}, here you are. {first_name}")
    page.get_by_label("Add files").set_input_files(file)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Unknown variable: {first_name}.")).to_be_visible()
    page.get_by_label("Text").fill("Dear {visitor_name|customer}, here you are.")
    page.get_by_label("Add files").set_input_files(file)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("/prices")).to_be_visible()


def test_canned_reply_is_saved_inserted_with_a_slash_and_sent(crowd: Crowd, tmp_path: Path) -> None:
    crowd.expect_complaint("422")
    file = tmp_path / "prices.csv"
    file.write_text("ring;40\n")
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    save_a_reply(alice, file)
    visitor.start("What does it cost?")
    alice.page.goto(f"{alice.url}/desk/")
    alice.sees("What does it cost?")
    page, keys = alice.page, alice.page.keyboard
    options = page.get_by_role("option")
    search = page.get_by_role("combobox", name="Search canned replies")

    alice.reply.focus()
    keys.type("Yes. /pri")
    expect(search).to_be_focused()
    expect(options).to_have_count(1)
    assert inaccessible(page) == []
    keys.press("Enter")
    expect(alice.reply).to_be_focused()
    expect(alice.reply).to_have_value("Yes. Dear customer, here you are.")
    keys.press("Enter")
    visitor.sees("Yes. Dear customer, here you are.")
    visitor.sees("prices.csv")

    # A gap is announced; a literal slash stays; Escape restores what was typed.
    keys.type("/hello")
    expect(options).to_have_count(1)
    keys.press("Enter")
    expect(alice.reply).to_have_value("Hello, this is Alice at Maison Céleste. How may I help?")
    expect(
        page.get_by_text("Left out because the value is unknown: the visitor's name.")
    ).to_be_visible()
    for typed, then, stays in (
        ("1 / 2", "", "1 / 2"),
        ("either/or", "", "either/or"),
        ("see /etc", "Escape", "see /etc"),
        ("see /zzz", "Enter", "see /zzz"),
        ("so /", "Backspace", "so "),
    ):
        alice.reply.fill("")
        keys.type(typed)
        if then == "Enter":
            expect(page.get_by_text("No reply contains these words")).to_be_visible()
        if then:
            keys.press(then)
        expect(alice.reply).to_have_value(stays)
        expect(search).to_be_hidden()

    # What looks like a variable is not sent before the agent has seen it.
    alice.reply.fill("Hello {visitor_name}")
    keys.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="was not filled in")).to_be_visible()
    expect(alice.bubble("{visitor_name}")).to_have_count(0)
    keys.press("Enter")
    alice.sees("Hello {visitor_name}")


def test_enter_does_not_wait_for_an_empty_result(crowd: Crowd) -> None:
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    visitor.start("What does it cost?")
    alice.sees("What does it cost?")
    page, held = alice.page, list[Route]()
    page.route("**/replies/?q=zz", lambda route: held.append(route))
    alice.reply.focus()
    with page.expect_request("**/replies/?q=zz"):
        page.keyboard.type("see /zz")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox")).to_be_focused()
    held[0].continue_()
    expect(alice.reply).to_have_value("see /zz")
    expect(page.get_by_role("combobox")).to_be_hidden()
