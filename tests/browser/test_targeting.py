"""Targeting of visitors by page, and messages to them when the queue is full or closed."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Visitor
from tests.browser.product import Product

HEAR = """() => {
  window.heard = [];
  window.Causerie("on", "displayed", (detail) => window.heard.push(detail.kind));
}"""
GO = "(path) => history.pushState({}, '', path)"


class Questions:
    """What a page sent to the page views' endpoint, in order."""

    def __init__(self, page: Page) -> None:
        self.sent: list[dict[str, Any]] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.endswith("/engagement/"):
            self.sent.append(json.loads(request.post_data or "{}"))


def bubble(visitor: Visitor, text: str) -> Any:
    return visitor.page.get_by_role("status").get_by_role("button", name=text)


def test_first_matching_rule_applies_on_each_page_of_an_application(
    crowd: Crowd, product: Product
) -> None:
    """R39: some journeys, not others; a single-page application changes them without a load."""
    product.rows(
        "UPDATE routing_targetingrule SET pages_excluded = '{/demo/app/*}' WHERE id = 1 RETURNING 1"
    )
    product.target(
        "checkout", "/demo/app/checkout*", texts='{"en": "Any trouble paying?", "fr": "Un souci ?"}'
    )
    product.target(
        "patience", "/demo/app/*", position=1, seconds_on_page=2, texts='{"en": "Still here?"}'
    )
    visitor = crowd.visitor()
    asked = Questions(visitor.page)
    visitor.visit()
    expect(visitor.launcher).to_be_visible()
    visitor.page.evaluate(HEAR)

    visitor.page.evaluate(GO, "/demo/app/checkout/?step=1")
    expect(bubble(visitor, "Any trouble paying?")).to_be_visible()
    assert visitor.page.evaluate("document.activeElement.tagName") == "BODY"  # no focus stolen
    assert visitor.page.evaluate("heard") == ["button", "text"]
    visitor.page.get_by_role("button", name="Dismiss this message").click()
    expect(bubble(visitor, "Any trouble paying?")).to_be_hidden()
    expect(visitor.launcher).to_be_focused()
    # another page view of the same page
    with visitor.page.expect_response(re.compile("/engagement/")):
        visitor.page.evaluate("Causerie('visitor', {name: 'Ada'})")
    expect(bubble(visitor, "Any trouble paying?")).to_be_hidden()

    before = len(asked.sent)
    visitor.page.evaluate(GO, "/demo/app/lamps/")
    expect(visitor.launcher).to_be_hidden()
    expect(bubble(visitor, "Still here?")).to_be_visible()
    # sent twice, without polling
    assert [view["seconds"] for view in asked.sent[before:]] == [0, 2]
    bubble(visitor, "Still here?").click()
    expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
    visitor.reduce()

    visitor.page.go_back()
    with visitor.page.expect_response(re.compile("/engagement/")):
        visitor.page.go_back()
        expect(visitor.page).to_have_url(re.compile("/demo/cart/"))
    expect(visitor.launcher).to_be_visible()
    pages = [(view["url"].rpartition("/demo")[2], view["pages"]) for view in asked.sent]
    assert pages[0] == ("/cart/", 1)
    assert pages[-1] == ("/cart/", 5)


def test_rules_use_visitor_attributes_and_stored_page_counts(
    crowd: Crowd, product: Product
) -> None:
    """B13: before the visitor acts nothing is stored, so little is known; afterwards pages are
    counted."""
    rule = product.target("big carts", "/demo/*", devices=["phone"])
    product.rows(
        "INSERT INTO routing_targetingcondition (targeting_rule_id, name, operator, value)"
        " VALUES (%s, 'cart.total', 'at_least', '80') RETURNING 1",
        rule,
    )
    product.rows("UPDATE routing_targetingrule SET is_enabled = false WHERE id = 1 RETURNING 1")
    product.outdate()
    try:
        visitor = crowd.visitor(
            viewport={"width": 390, "height": 844},
            screen={"width": 390, "height": 844},
            has_touch=True,
            is_mobile=True,
        )
        asked = Questions(visitor.page)
        with visitor.page.expect_response(re.compile("/engagement/")) as answer:
            visitor.visit()
        assert answer.value.json()["reason"] == "no_rule"
        visitor.page.evaluate(
            """() => {
              Causerie("visitor", {cart: {total: 20, lines: [1, {a: 2}]}, tier: "gold"});
              Causerie("visitor", {cart: {total: 80, loop: window}, tier: null, tall: true});
            }"""
        )
        expect(visitor.launcher).to_be_visible()
        assert len(asked.sent) == 2  # both in one request
        data = asked.sent[-1]["data"]
        assert (data["cart.total"], data["tall"], "tier" in data) == (80, True, False)
        assert asked.sent[-1]["device"] == "phone"
        stored_keys = "Object.keys({...localStorage, ...sessionStorage})"
        assert visitor.page.evaluate(stored_keys) == []

        visitor.open()
        visitor.agree()
        visitor.reduce()
        visitor.page.get_by_role("link", name="My account").first.click()
        expect(visitor.page).to_have_url(re.compile("/account/"))
        visitor.page.get_by_role("link", name="Maison Céleste").first.click()
        visitor.page.wait_for_load_state("networkidle")
        assert [(one["pages"], one["returning"]) for one in asked.sent[-2:]] == [
            (2, False),
            (3, False),
        ]
        visitor.page.evaluate(
            "localStorage.setItem('causerie:demo:seen', `0 3 ${Date.now() - 2 * 3600e3}`)"
        )
        with visitor.page.expect_request(re.compile("/engagement/")):
            visitor.page.reload()
        assert asked.sent[-1]["returning"] is True
    finally:
        product.rows("UPDATE routing_targetingrule SET is_enabled = true WHERE id = 1 RETURNING 1")


def test_visitor_is_notified_when_a_place_becomes_free(crowd: Crowd, product: Product) -> None:
    """B4: the visitor is told so, the text is kept, and nothing is sent automatically."""
    crowd.expect_complaint("409")
    late = crowd.visitor().visit()
    late.open()
    late.agree()
    for name in ("one", "two", "three"):
        crowd.visitor().start(name)
    late.box.fill("Is there room?")
    late.box.press("Enter")
    notice = late.frame.get_by_role("alert")
    expect(notice).to_contain_text("queue is full")
    expect(notice).to_contain_text("We will let you know here as soon as a place is free.")
    expect(late.box).to_have_value("Is there room?")

    alice = crowd.agent("alice").log_in().be_available()
    expect(alice.boxes).to_have_count(3)
    expect(notice).to_contain_text("A place is free.")
    expect(late.box).to_have_value("Is there room?")
    expect(alice.boxes).to_have_count(3)  # not sent automatically
    late.frame.get_by_role("button", name="Send", exact=True).click()
    expect(late.bubble("Is there room?")).to_contain_text("Sent")
    expect(alice.boxes).to_have_count(4)
    stored = product.rows(
        "SELECT count(*) FROM conversations_message WHERE body = 'Is there room?'"
    )
    assert stored == [(1,)]


def test_button_shown_when_closed_says_when_the_team_returns(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("409")
    close = """
        UPDATE accounts_group SET is_open = %s, keeps_places_when_closed = %s,
            hours_change_at = now() + interval '3 days' RETURNING 1"""
    product.target("Says when", "/demo/cart/", shows_when_closed=True)
    product.rows(close, False, False)
    product.outdate()
    try:
        visitor = crowd.visitor()
        with visitor.page.expect_response(re.compile("/engagement/")):
            visitor.visit("/demo/")
        expect(visitor.launcher).to_have_count(0)
        visitor.visit()
        visitor.open()
        back = re.compile(r"We are back on \w+ \d+ \w+ at \d\d:\d\d\.")
        expect(visitor.frame.get_by_text(back)).to_be_visible()
        visitor.agree()
        visitor.box.fill("Anybody?")
        visitor.box.press("Enter")
        expect(visitor.frame.get_by_role("alert")).to_contain_text(back)
        expect(visitor.box).to_have_value("Anybody?")
    finally:
        product.rows(close.replace("now() + interval '3 days'", "NULL"), True, True)
        product.outdate()


def test_closed_messenger_says_when_the_team_returns(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("409")
    visitor = crowd.visitor().visit()
    visitor.open()
    visitor.agree()
    close = """
        UPDATE accounts_group SET is_open = %s, keeps_places_when_closed = %s,
            hours_change_at = now() + interval '3 days' RETURNING 1"""
    product.rows(close, False, False)
    product.outdate()
    try:
        visitor.box.fill("Anybody?")
        visitor.box.press("Enter")
        notice = visitor.frame.get_by_role("alert")
        expect(notice).to_contain_text("We are closed at the moment. Your message is saved here.")
        expect(notice).to_contain_text(re.compile(r"We are back on \w+ \d+ \w+ at \d\d:\d\d\."))
        expect(visitor.box).to_have_value("Anybody?")
    finally:
        product.rows(close.replace("now() + interval '3 days'", "NULL"), True, True)
