"""A fresh installation without the demo: from the first login to a working Messenger, by the guided
set-up alone."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import identity_provider
from tests.browser import brand
from tests.browser.conftest import Crowd
from tests.browser.product import Product
from tests.browser.test_every_page import inaccessible
from tests.identity_provider import Provider

PASSWORD = "a-fine-password-7"


@pytest.fixture
def acme() -> Iterator[Provider]:
    """A provider of single sign-on, where the administrator is known."""
    with identity_provider.running() as provider:
        provider.person = {"sub": "root-1", "email": "root@example.com", "email_verified": True}
        yield provider


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory, acme: Provider) -> Iterator[Product]:
    """An installation without users."""
    product = Product(
        tmp_path_factory.mktemp("fresh") / "var",
        DEMO="off",
        DEBUG="on",  # the provider has no certificate
        PRIVATE_SERVERS=acme.url.removeprefix("http://"),
        SECRET_KEY=secrets.token_urlsafe(48),
        ALLOWED_HOSTS="127.0.0.1",
        HTTPS="off",
        WEB_PROCESSES="1",
    )
    product.environment["PUBLIC_URL"] = product.url
    try:
        product.start()
        yield product
    finally:
        product.stop()


def printed_link(product: Product) -> str:
    """Wait for the link that the server prints once it is ready."""
    give_up = time.monotonic() + 60
    while not (match := re.search(r"http\S+/first-administrator/\S+/", product.log.read_text())):
        assert time.monotonic() < give_up, product.log_tail()
        time.sleep(0.1)
    return match[0]


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def log_in_by_provider(crowd: Crowd, admin: Page, fresh: Product, acme: Provider) -> list[str]:
    """Enter a provider in the administration, link the account with it, and log in by it."""
    admin.goto(f"{fresh.url}/admin/accounts/identityprovider/add/")
    admin.get_by_label("Name", exact=False).first.fill("Acme")
    admin.get_by_label("Key").fill("acme")
    admin.get_by_label("Issuer").fill(acme.url)
    admin.get_by_label("Client ID").fill(identity_provider.CLIENT)
    admin.get_by_label("Client secret").fill(identity_provider.SECRET)
    faults = inaccessible(admin)
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_role("table").get_by_role("link", name="Acme", exact=True).click()
    expect(admin.get_by_text(f"{fresh.url}/login/with/acme/return/")).to_be_visible()
    admin.goto(f"{fresh.url}/account/")
    admin.get_by_role("link", name="Link to Acme").click()
    expect(admin.get_by_text("Your account is linked.")).to_be_visible()
    faults += inaccessible(admin)

    again = crowd.context().new_page()
    again.goto(f"{fresh.url}/login/?next=/account/")
    faults += inaccessible(again)
    again.get_by_role("link", name="Log in with Acme").click()
    expect(again.get_by_role("heading", name="Your account", level=1)).to_be_visible()
    mine = again.get_by_role("region", name="Login details")
    expect(mine.get_by_text("root", exact=True)).to_be_visible()
    assert [asked["client_id"] for asked in acme.asked] == [identity_provider.CLIENT] * 2
    return faults


def test_guided_setup_leads_to_the_first_answer(
    browser: Browser, fresh: Product, acme: Provider
) -> None:
    crowd = Crowd(browser, fresh)
    admin = crowd.context(viewport={"width": 1280, "height": 900}).new_page()
    faults: list[str] = []

    admin.goto(f"{fresh.url}/admin/")
    expect(admin.get_by_text("open the link that the server printed")).to_be_visible()
    admin.goto(printed_link(fresh))
    faults += inaccessible(admin)
    admin.get_by_label("Username").fill("root")
    admin.get_by_label("Password", exact=True).fill(PASSWORD)
    admin.get_by_label("Confirm password").fill(PASSWORD)
    admin.get_by_role("button", name="Create the account").click()
    expect(admin).to_have_url(f"{fresh.url}/admin/")
    faults += inaccessible(admin)
    admin.get_by_role("link", name="Set up the first website").click()

    # An error keeps what was typed.
    admin.get_by_label("Brand name").fill("Maison Neuve")
    go_on(admin)
    expect(
        admin.get_by_text(
            "Enter at least one domain. Without it, the Messenger does not appear on any page."
        )
    ).to_be_visible()
    expect(admin.get_by_label("Brand name")).to_have_value("Maison Neuve")
    faults += inaccessible(admin)
    admin.get_by_label("Domains of the site").fill("http://127.0.0.1/shop")
    go_on(admin)

    expect(admin.get_by_role("heading", name="Who answers?")).to_be_visible()
    admin.get_by_label("Group name").fill("Response team")
    go_on(admin)

    # Left, and resumed from the index at the same step.
    admin.goto(f"{fresh.url}/admin/")
    admin.get_by_role("link", name="Continue the setup of Maison Neuve").click()
    expect(admin.get_by_label("Rule name")).to_have_value("to the response team")
    expect(admin.get_by_label("Places in the conversation queue")).to_have_value("3")
    faults += inaccessible(admin)
    go_on(admin)

    colleague = admin.get_by_role("group", name="Colleague 1", exact=True)
    colleague.get_by_label("First and last name").fill("Alice Martin")
    faults += inaccessible(admin)
    admin.get_by_role("button", name="Save and add more").click()
    link = admin.get_by_label("Password link for Alice").input_value()
    go_on(admin)

    code = admin.get_by_label("Code to embed").input_value()
    admin.get_by_role("button", name="Copy the code").click()
    expect(admin.get_by_role("button", name="Copied")).to_be_visible()
    expect(admin.get_by_text("Not detected on any page yet.")).to_be_visible()
    faults += inaccessible(admin)
    key = re.fullmatch(
        rf'<script async src="{fresh.url}/embed.js" data-website="([\w-]+)"></script>', code
    )
    assert key is not None, code

    with brand.page(fresh.url, key[1]) as port:
        visitor = crowd.context().new_page()
        visitor.goto(f"http://127.0.0.1:{port}/")
        visitor.get_by_role("button", name="Open the chat").click()
        messenger = visitor.get_by_title("Chat with Maison Neuve").content_frame
        messenger.get_by_role("button", name="I accept").click()
        messenger.get_by_label("Your message").fill("Is anybody there?")
        messenger.get_by_label("Your message").press("Enter")
        expect(messenger.get_by_text("You are next in line.")).to_be_visible()

        # The administrator's page notices without a reload.
        expect(admin.get_by_text(re.compile(r"^Seen on 127\.0\.0\.1"))).to_be_visible()

        desk = crowd.context().new_page()
        desk.goto(link)
        faults += inaccessible(desk)
        desk.get_by_label("Password", exact=True).fill(PASSWORD)
        desk.get_by_label("Confirm password").fill(PASSWORD)
        desk.get_by_role("button", name="Save and log in").click()
        desk.get_by_role("group", name="Your availability").get_by_role("button").click()
        box = desk.get_by_role("complementary", name="Conversations on your desk")
        box.get_by_role("link").click()
        log = desk.get_by_role("log", name="Messages")
        expect(log.get_by_text("Is anybody there?")).to_be_visible()
        desk.get_by_label("Your reply").fill("Alice is.")
        desk.get_by_label("Your reply").press("Enter")
        expect(messenger.get_by_text("Alice is.")).to_be_visible()

    faults += log_in_by_provider(crowd, admin, fresh, acme)
    crowd.leave()
    assert not faults, "\n".join(faults)
    assert crowd.unexpected() == []
