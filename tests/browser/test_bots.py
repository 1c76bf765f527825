"""A bot's whole life in real browsers: built, tried and saved as a test, published, met by a
visitor on another origin, escalated, changed, and rolled back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import brand
from tests.browser.conftest import Crowd
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product


@pytest.fixture
def port(product: Product) -> Iterator[int]:
    """A brand's page on an origin that is not ours; afterwards no rule has a bot."""
    with brand.page(product.url, "demo") as served:
        yield served
    product.rows("UPDATE routing_distributionrule SET bot_id = NULL RETURNING id")


def build(admin: Page, url: str) -> None:
    """Make a bot with one more question than a new one has."""
    admin.goto(f"{url}/admin/routing/bot/add/")
    admin.get_by_label("Website").select_option(label="Maison Céleste")
    admin.get_by_role("textbox", name="Name").fill("Céleste’s bot")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_role("heading", name="Scenario of Céleste’s bot")).to_be_visible()
    steps = admin.get_by_role("navigation", name="Steps")
    steps.get_by_role("link").first.click()
    save(admin, "What is it about?")


def save(admin: Page, question: str) -> None:
    form = admin.locator("#step")
    form.get_by_label("Question (English)").fill(question)
    form.get_by_role("button", name="Save the step").click()
    expect(form.get_by_label("Question (English)")).to_have_value(question)
    expect(admin.get_by_text("Saved. Visitors see the published version")).to_be_visible()


def test_a_bot_is_built_tested_published_met_escalated_and_rolled_back(
    crowd: Crowd, product: Product, port: int
) -> None:
    boss = crowd.agent("admin").log_in("/admin/")
    admin = boss.page
    build(admin, product.url)
    editor = admin.url

    admin.get_by_label("Language").select_option("en")
    admin.get_by_role("button", name="Start again").click()
    chat = admin.get_by_title("Live chat with the draft").content_frame
    expect(chat.get_by_role("log").get_by_text("What is it about?")).to_be_visible()
    chat.get_by_role("button", name="Talk to a person").first.click()
    admin.get_by_label("Save this conversation as a test").fill("Straight to people")
    admin.get_by_role("button", name="Save the test").click()
    expect(admin.get_by_text("Runs as saved.")).to_be_visible()
    admin.get_by_role("button", name="Publish").click()
    expect(admin.get_by_text("Version 1 is published.")).to_be_visible()
    product.rows(
        "UPDATE routing_distributionrule SET bot_id = (SELECT max(id) FROM routing_bot)"
        " WHERE id = 1 RETURNING id"
    )
    product.outdate()

    alice = crowd.agent("alice").log_in().be_available()
    meet(crowd, port, alice, "What is it about?", "Talk to a person")

    # A changed draft is a second version; the first one comes back with one click.
    admin.goto(editor)  # The address names the step, so its form is there.
    save(admin, "How may I help?")
    admin.get_by_role("button", name="Publish").click()
    expect(admin.get_by_text("Version 2 is published.")).to_be_visible()
    product.outdate()
    expect(begin(crowd, port).bubble("How may I help?")).to_be_visible()
    admin.locator("summary").filter(has_text="Version 1,").click()
    admin.get_by_role("button", name="Put version 1 in force again").click()
    expect(admin.get_by_text("Version 1 is in force again.")).to_be_visible()
    expect(begin(crowd, port).bubble("What is it about?")).to_be_visible()


def begin(crowd: Crowd, port: int) -> Visitor:
    visitor = Visitor(crowd.context(), f"http://localhost:{port}")
    visitor.visit("/")
    visitor.open()
    visitor.agree()
    visitor.say("Good morning")
    return visitor


def meet(crowd: Crowd, port: int, agent: Agent, question: str, choice: str) -> None:
    """Let a visitor answer the bot, and the agent read what it learnt."""
    visitor = begin(crowd, port)
    visitor.sees(question)
    # The bot says in the header and above its message that it is one.
    expect(visitor.frame.get_by_text("Céleste’s bot (bot) is answering you")).to_be_visible()
    expect(visitor.log.get_by_role("listitem").filter(has_text=question)).to_contain_text(
        "Céleste’s bot Bot"
    )
    visitor.log.get_by_role("button", name=choice).click()
    agent.sees("Good morning")
    expect(agent.log.locator(".group.bot").first).to_contain_text("Céleste’s bot Bot")
    learnt = agent.log.get_by_text("What the bot learnt")
    expect(learnt).to_be_visible()
    expect(agent.log.get_by_role("definition")).to_have_text(choice)
    agent.say("Hello, a person here")
    visitor.sees("Hello, a person here")
