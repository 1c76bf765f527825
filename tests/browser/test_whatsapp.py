"""WhatsApp at the desk: its limits before an agent sends, its window, and its templates."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.product import Product
from tests.browser.test_channels import at_work
from tests.browser.test_every_page import inaccessible
from tests.messenger.channels.stand_in import PICTURE, Provider, running
from tests.messenger.channels.whatsapp_server import ACCOUNT, NUMBER, TOKEN

SHOTS = os.environ.get("SHOTS", "")
SECRET = "the-secret-of-the-app"
PERSON = "33612345678"


@pytest.fixture(scope="module")
def whatsapp() -> Iterator[Provider]:
    with running("tests.messenger.channels.whatsapp_server") as provider:
        yield provider


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, whatsapp: Provider) -> Iterator[Product]:
    running_product = Product(
        tmp_path_factory.mktemp("whatsapp") / "var",
        WHATSAPP_API=whatsapp.url,
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


def connect_number(crowd: Crowd, whatsapp: Provider) -> str:
    """Connect a number in the settings; return the path of its door."""
    page = crowd.agent("admin", viewport={"width": 1440, "height": 1100}).log_in("/admin/").page
    page.goto(crowd.product.url + "/admin/conversations/inbox/add/")
    page.get_by_label("Website").select_option(index=1)
    page.get_by_label("Channel").select_option("WhatsApp")
    page.get_by_label("Name:", exact=True).fill("Boutique")
    page.get_by_label("Distribution rule").select_option(index=1)
    page.get_by_role("button", name="Save", exact=True).click()
    page.reload()
    page.get_by_label("Phone number ID").fill(NUMBER)
    page.get_by_label("WhatsApp Business account ID").fill(ACCOUNT)
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_label("App secret").fill(SECRET)
    assert inaccessible(page) == []
    shoot(page, "whatsapp-settings")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Working")).to_be_visible()
    for _try in range(100):
        stored = crowd.product.rows("SELECT templates::text FROM conversations_inbox")
        if stored and json.loads(stored[0][0]):
            hook = whatsapp.data_of("number")[-1]["webhook_configuration"]
            return "/" + hook["override_callback_uri"].split("/", 3)[3]
        page.wait_for_timeout(200)
    raise AssertionError(whatsapp.heard)


def deliver(product: Product, door: str, number: int, text: str) -> None:
    message: dict[str, Any] = {"from": PERSON, "id": f"wamid.in{number}", "type": "text"}
    message |= {"timestamp": str(int(time.time())), "text": {"body": text}}
    value = {
        "metadata": {"phone_number_id": NUMBER},
        "contacts": [{"wa_id": PERSON, "profile": {"name": "Jeanne Moreau"}}],
        "messages": [message],
    }
    body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    request = urllib.request.Request(product.url + door, body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


def test_the_limits_and_the_window_are_told_before_an_agent_sends(
    crowd: Crowd, product: Product, whatsapp: Provider
) -> None:
    door = connect_number(crowd, whatsapp)
    alice = at_work(crowd)
    deliver(product, door, 1, "Bonjour, ma commande est-elle prête ?")
    expect(alice.boxes).to_have_count(1)
    alice.boxes.first.click()
    alice.sees("Bonjour, ma commande est-elle prête ?")
    page = alice.page
    limits = page.locator(".channel-limits")
    expect(limits).to_contain_text("WhatsApp: 4,000 characters · JPEG, PNG: 5 MB · TXT, PDF")
    expect(limits).to_contain_text("free text until")
    shoot(page, "whatsapp-open")

    box, error = page.get_by_label("Your reply"), page.locator(".composer .error")
    box.fill("x" * 3900)
    expect(page.locator("[data-hint]")).to_contain_text("3,900 of 4,000 characters")
    box.fill("x" * 4001)
    box.press("Enter")
    expect(error).to_contain_text("This message has 4,001 characters. WhatsApp takes 4,000.")
    box.fill("")
    files = page.locator("input[data-files]")
    files.set_input_files({"name": "a.gif", "mimeType": "image/gif", "buffer": b"GIF89a"})
    expect(page.locator(".chip")).to_contain_text("does not accept files of this kind")
    page.get_by_role("button", name="Remove a.gif").click()
    large = PICTURE + b"\0" * (5 * 2**20)
    files.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": large})
    expect(page.locator(".chip")).to_contain_text("accepts files of this kind up to 5 MB")
    page.get_by_role("button", name="Remove a.png").click()

    # A day later: only templates.
    product.rows(
        "UPDATE conversations_inboundmessage SET sent_at = sent_at - interval '25 hours'"
        " RETURNING id"
    )
    page.reload()
    closed = page.locator(".closed-window")
    expect(closed).to_contain_text("More than 24 hours have passed")
    box.fill("Elle est prête !")
    box.press("Enter")
    expect(error).to_contain_text("WhatsApp delivers only templates now")
    shoot(page, "whatsapp-closed")
    assert inaccessible(page) == []
    closed.get_by_role("button", name="Choose a template").click()
    dialog = page.locator("#dialog")
    dialog.get_by_text("pret", exact=True).click()
    dialog.get_by_label("Instead of {{1}}").fill("Jeanne")
    dialog.get_by_label("Instead of {{2}}").fill("A-7")
    shoot(page, "whatsapp-templates")
    assert inaccessible(page) == []
    dialog.get_by_role("button", name="Send").locator("visible=true").click()
    expect(dialog).to_be_hidden()
    bubble = alice.bubble("Bonjour Jeanne, votre commande A-7 est prête.")
    expect(bubble.get_by_text("Sent", exact=True)).to_be_attached()
    (sent,) = whatsapp.data_of("messages")
    assert sent["template"]["name"] == "pret"

    # An answer opens the window, without a reload.
    deliver(product, door, 2, "Merci !")
    alice.sees("Merci !")
    expect(closed).to_be_hidden()
    box.fill("Avec plaisir.")
    box.press("Enter")
    expect(alice.bubble("Avec plaisir.").get_by_text("Sent", exact=True)).to_be_attached()

    if SHOTS:
        product.rows(
            "UPDATE conversations_inboundmessage SET sent_at = sent_at - interval '25 hours'"
            " RETURNING id"
        )
        french = crowd.agent("alice", locale="fr-FR", viewport={"width": 390, "height": 844})
        french.translate = Language("fr")
        french.log_in()
        french.page.goto(page.url)
        expect(french.page.locator(".closed-window")).to_be_visible()
        shoot(french.page, "whatsapp-phone-fr")
        french.page.emulate_media(color_scheme="dark")
        french.page.locator(".closed-window button").click()
        french.page.locator("#dialog summary").first.click()
        shoot(french.page, "whatsapp-phone-dark")
