"""Telegram, from the page that connects a bot to the answer in the chat, with its tick."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.people import Agent
from tests.browser.product import Product
from tests.browser.test_every_page import inaccessible
from tests.messenger.channels.stand_in import Provider, running
from tests.messenger.channels.telegram_server import TOKEN

SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture(scope="module")
def telegram() -> Iterator[Provider]:
    with running("tests.messenger.channels.telegram_server") as provider:
        yield provider


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, telegram: Provider) -> Iterator[Product]:
    running_product = Product(
        tmp_path_factory.mktemp("channels") / "var",
        TELEGRAM_API=telegram.url,
        PROVIDERS_MAY_BE_PRIVATE="on",
    )
    try:
        running_product.start()
        yield running_product
    finally:
        running_product.stop()


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def connect_bot(crowd: Crowd, telegram: Provider) -> dict[str, Any]:
    """Connect a bot in the settings; return what Telegram was told."""
    page = crowd.agent("admin", viewport={"width": 1440, "height": 900}).log_in("/admin/").page
    page.get_by_role("link", name="Inboxes", exact=True).first.click()
    page.get_by_role("link", name="Add inbox").click()
    page.get_by_label("Website").select_option(index=1)
    page.get_by_label("Channel").select_option("Telegram")
    page.get_by_label("Name:", exact=True).fill("Boutique")
    page.get_by_label("Distribution rule").select_option(index=1)
    shoot(page, "inbox-add")
    page.get_by_role("button", name="Save", exact=True).click()
    page.reload()
    assert inaccessible(page) == []
    page.get_by_label("Token of the bot").fill(TOKEN)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Working")).to_be_visible()
    shoot(page, "inbox-change")
    for _try in range(100):
        told = [one["data"] for one in telegram.heard if one["method"] == "setWebhook"]
        if told and told[-1]["secret_token"]:
            return told[-1]
        page.wait_for_timeout(200)
    raise AssertionError(telegram.heard)


def deliver(product: Product, told: dict[str, Any], number: int, text: str) -> None:
    sender = {"id": 42, "first_name": "Jeanne", "last_name": "Moreau", "language_code": "fr"}
    message = {"message_id": number, "from": sender, "chat": {"id": 42, "type": "private"}}
    update = {"update_id": number, "message": message | {"date": 1, "text": text}}
    request = urllib.request.Request(
        product.url + "/" + told["url"].split("/", 3)[3],
        json.dumps(update).encode(),
        {
            "Content-Type": "application/json",
            "X-Telegram-Bot-Api-Secret-Token": told["secret_token"],
        },
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


def at_work(crowd: Crowd, **options: Any) -> Agent:
    crowd.product.rows(
        "UPDATE accounts_agentchannel SET channel = 'messaging' WHERE agent_id = ("
        "SELECT a.id FROM accounts_agent a JOIN accounts_user u ON u.id = a.user_id"
        " WHERE u.username = 'alice') RETURNING id"
    )
    agent = crowd.agent("alice", viewport={"width": 1440, "height": 900}, **options).log_in()
    return agent.be_available()


def test_a_chat_of_telegram_from_the_settings_to_the_ticks(
    crowd: Crowd, product: Product, telegram: Provider
) -> None:
    told = connect_bot(crowd, telegram)
    alice = at_work(crowd)
    deliver(product, told, 1, "Bonjour, ma théière est arrivée cassée.")
    expect(alice.boxes).to_have_count(1)
    expect(alice.boxes.first).to_contain_text("Telegram")
    expect(alice.boxes.first).not_to_contain_text("left")
    alice.boxes.first.click()
    alice.sees("Bonjour, ma théière est arrivée cassée.")
    head = alice.page.locator(".dialogue-head")
    expect(head).to_contain_text("Telegram · Boutique")

    bubble = alice.say("Bonjour Jeanne, nous vous en envoyons une autre.")
    expect(bubble.get_by_text("Sent", exact=True)).to_be_attached()
    assert telegram.texts == ["Bonjour Jeanne, nous vous en envoyons une autre."]

    telegram.fail_next({"status": 403})
    bubble = alice.say("Avez-vous reçu notre message ?")
    expect(bubble.get_by_text("Not delivered").first).to_be_attached()
    expect(bubble).to_contain_text("The person has blocked the bot")
    shoot(alice.page, "desk")
    assert inaccessible(alice.page) == []

    # The reason is still there after a reload, and what comes later is sent.
    alice.page.reload()
    expect(alice.bubble("Avez-vous")).to_contain_text("The person has blocked the bot")
    deliver(product, told, 2, "Merci !")
    alice.sees("Merci !")
    bubble = alice.say("Avec plaisir.")
    expect(bubble.get_by_text("Sent", exact=True)).to_be_attached()
    if SHOTS:
        french = crowd.agent("alice", locale="fr-FR", viewport={"width": 390, "height": 844})
        french.translate = Language("fr")
        french.log_in()
        french.page.goto(alice.page.url)
        expect(french.page.locator(".dialogue-head")).to_be_visible()
        expect(french.page.locator(".why-undelivered")).to_be_visible()
        shoot(french.page, "desk-phone-fr")
        french.page.emulate_media(color_scheme="dark")
        shoot(french.page, "desk-phone-dark")
