"""Passkeys in a real browser, whose virtual device answers as a finger would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd


@pytest.fixture
def page(crowd: Crowd) -> Iterator[Page]:
    """A page with a device that verifies the person and stores passkeys."""
    page = crowd.context().new_page()
    url = crowd.product.url.replace("127.0.0.1", "localhost")  # no passkey belongs to a number
    page.goto(f"{url}/login/")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield page
    crowd.product.rows("DELETE FROM mfa_authenticator RETURNING id")


def log_in(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill("demo")
    page.get_by_role("button", name="Log in", exact=True).click()


def to(page: Page, path: str) -> None:
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)


def test_a_passkey_is_made_and_then_is_the_only_thing_one_needs(page: Page) -> None:
    log_in(page, "bruno")
    page.wait_for_url("**/desk/**")
    to(page, "/account/")
    page.get_by_role("link", name="Set up").click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Test device")
    page.get_by_role("button", name="Create passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have stored them").click()
    expect(page.get_by_text("Test device").first).to_be_visible()

    to(page, "/account/")
    page.get_by_label("Your account:").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/desk/**")

    # Something important asks for the passkey again, and for no password.
    to(page, "/account/password/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Change password")).to_be_visible()

    # After the password, the passkey is the second step.
    page.get_by_label("Your account:").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")
    log_in(page, "bruno")
    expect(page.get_by_role("heading", name="Two-step login")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/desk/**")


def test_a_device_without_a_passkey_says_so(page: Page) -> None:
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_text("Nothing was confirmed. Please try again.")).to_be_visible()
    assert page.url.endswith("/login/")
