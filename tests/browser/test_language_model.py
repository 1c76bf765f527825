"""A language model in real browsers: switched on in the settings, answering a visitor with its
sources, and helping an agent who asks. The server is a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import language_models
from tests.browser.conftest import Crowd
from tests.browser.product import Product
from tests.browser.test_every_page import inaccessible


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with language_models.running() as url:
        yield url


@pytest.fixture(scope="module")
def here(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose installation allows this one private server."""
    var: Path = tmp_path_factory.mktemp("model") / "var"
    product = Product(var, PRIVATE_SERVERS=server.removeprefix("http://"))
    product.start()
    yield product
    product.stop()


@pytest.fixture
def people(browser: Browser, here: Product) -> Iterator[Crowd]:
    here.forget()
    people = Crowd(browser, here)
    yield people
    people.leave()
    assert people.unexpected() == []


def choose(people: Crowd, here: Product, address: str, *labels: str) -> Page:
    """Switch a language model on in the settings, for these purposes only; return the page."""
    admin = people.agent("admin").log_in("/admin/").page
    admin.goto(f"{here.url}/admin/conversations/languagemodelsettings/")
    links = admin.get_by_role("rowheader").get_by_role("link")
    if links.count():
        links.first.click()
    else:
        admin.goto(f"{here.url}/admin/conversations/languagemodelsettings/add/")
        admin.get_by_label("Website").select_option(index=1)
    admin.get_by_label("Address").fill(address)
    admin.get_by_label("Model", exact=False).first.fill("good")
    for box in admin.get_by_role("checkbox").all():
        box.uncheck()
    for label in labels:
        admin.get_by_label(label).check()
    assert inaccessible(admin) == []
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("successfully")).to_be_visible()
    return admin


def test_two_who_share_no_language_read_translations_and_can_see_the_original(
    people: Crowd, here: Product, server: str
) -> None:
    choose(people, here, f"{server}/good", "Translate messages")
    alice = people.agent("alice").log_in().be_available()
    visitor = people.visitor()
    visitor.visit()
    visitor.open()
    visitor.agree()
    visitor.say("Where is my lamp?")

    # The agent reads a translation, marked, with the original one click away.
    asked = alice.bubble("As asked: Where is my lamp?")
    expect(asked.get_by_text("Translated by a machine")).to_be_visible()
    expect(alice.page.get_by_text("No language in common")).to_contain_text("English")
    asked.get_by_role("button", name="Show the original").click()
    original = alice.bubble("Where is my lamp?")
    expect(original).not_to_contain_text("As asked")
    assert inaccessible(alice.page) == []
    original.get_by_role("button", name="Show the translation").press("Enter")
    expect(asked).to_be_visible()
    # So does the visitor, who also sees that their own message was translated.
    own = visitor.bubble("Where is my lamp?")
    expect(own.get_by_text("Translated for our adviser")).to_be_visible()
    own.get_by_role("button", name="Show the translation").click()
    expect(own).to_contain_text("As asked: Where is my lamp?")

    alice.say("Elle part demain.")
    answer = visitor.bubble("As asked: Elle part demain.")
    expect(answer.get_by_text("Translated by a machine")).to_be_visible()
    answer.get_by_role("button", name="Show the original").click()
    expect(visitor.bubble("Elle part demain.")).not_to_contain_text("As asked")
    mine = alice.bubble("Elle part demain.")
    expect(mine.get_by_text("Translated for the visitor by a machine")).to_be_visible()
    mine.get_by_role("button", name="Show the translation").click()
    expect(mine).to_contain_text("As asked: Elle part demain.")

    # A fresh page shows the same, from the server.
    visitor.page.reload()
    expect(visitor.bubble("As asked: Elle part demain.")).to_be_visible()
    alice.page.reload()
    expect(alice.bubble("As asked: Where is my lamp?")).to_be_visible()


def test_an_agent_has_a_reply_drafted_and_another_shortened(
    people: Crowd, here: Product, server: str
) -> None:
    admin = choose(people, here, f"{server}/good", "Help agents to write")
    admin.goto(f"{here.url}/admin/conversations/article/add/")
    admin.get_by_label("Website").select_option(index=1)
    admin.get_by_label("Language").select_option("en")
    admin.get_by_label("Title").fill("Refunds")
    admin.get_by_role("textbox", name="Text").fill("Refunds arrive within five days.")
    admin.get_by_label("Who can read it").select_option("public")
    admin.get_by_label("State").select_option("published")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("was added successfully")).to_be_visible()

    alice = people.agent("alice").log_in().be_available()
    visitor = people.visitor()
    visitor.visit()
    visitor.open()
    visitor.agree()
    visitor.say("When do refunds arrive?")
    alice.sees("When do refunds arrive?")
    desk = alice.page

    # By keyboard alone: open, ask, take, send.
    toggle = desk.get_by_role("button", name="Help me write")
    toggle.press("Enter")
    help_ = desk.get_by_role("region", name="Help me write")
    expect(help_.get_by_role("button", name="Draft a reply")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(help_.get_by_text("Written by a machine")).to_be_visible()
    expect(help_.get_by_role("link", name="Refunds")).to_be_visible()
    assert inaccessible(desk) == []
    help_.get_by_role("button", name="Use this text").press("Enter")
    box = desk.get_by_role("textbox", name="Your reply")
    expect(box).to_have_value("Refunds arrive within five days.")
    box.press("Enter")
    visitor.sees("Refunds arrive within five days.")

    box.fill("We will write to you tomorrow.")
    toggle.click()
    help_.get_by_role("button", name="Shorter").click()
    expect(help_.get_by_text("As asked: We will write to you tomorrow.")).to_be_visible()
    with desk.expect_response("**/decided/"):
        help_.get_by_role("button", name="Drop it").click()
    expect(box).to_have_value("We will write to you tomorrow.")
    desk.keyboard.press("Escape")

    admin.goto(f"{here.url}/admin/conversations/writingaid/")
    rows = admin.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="Draft a reply")).to_contain_text("Sent unchanged")
    expect(rows.filter(has_text="Shorter")).to_contain_text("Dropped")
    admin.goto(f"{here.url}/admin/conversations/languagemodelcall/")
    calls = admin.get_by_role("table").get_by_role("row")
    expect(calls.filter(has_text="Draft of a reply")).to_have_count(1)
    expect(calls.filter(has_text="Rewriting")).to_have_count(1)
