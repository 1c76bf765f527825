"""A page whose policy blocks us logs to its console which directive does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import brand
from tests.browser.conftest import Crowd
from tests.browser.people import Visitor
from tests.browser.product import Product


@pytest.mark.parametrize("directive", ["connect-src", "frame-src"])
def test_console_names_the_blocking_directive(
    crowd: Crowd, product: Product, directive: str
) -> None:
    crowd.expect_complaint("Content Security Policy|CSP:|Causerie: this page's policy")
    with brand.page(product.url, "demo", lacks=directive) as port:
        visitor = Visitor(crowd.context(), f"http://localhost:{port}")
        sentence = f"Causerie: this page's policy lacks {product.url} in {directive}."
        with visitor.page.expect_console_message(lambda message: message.text == sentence):
            visitor.visit("/")
            if directive == "frame-src":
                visitor.launcher.click()
    assert not [message for message in crowd.complaints if "no Messenger here" in message]


def test_report_only_policy_is_not_reported(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("Content Security Policy|CSP:")
    with brand.page(product.url, "demo", lacks="frame-src", only_reports=True) as port:
        visitor = Visitor(crowd.context(), f"http://localhost:{port}").visit("/")
        visitor.open()
        expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
