"""Agents see the page that the visitor has in front of them; the visitor is in charge."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import FIRST, ORDER, border, look, picture, site, start, stop
from tests.browser.product import Product
from tests.browser.test_identity import log_in


def test_an_agent_sees_the_page_of_another_origin_and_the_visitor_stops_it(
    crowd: Crowd, product: Product
) -> None:
    with site(product, f'<p id="shown">{ORDER}</p><button>Buy</button>') as shop:
        visitor, alice = start(crowd, shop.url)
        assert visitor.page.locator("script[src$='mirror.js']").count() == 0
        look(alice)
        expect(border(visitor)).to_be_visible()
        expect(picture(alice).get_by_text(ORDER)).to_be_visible()
        visitor.page.evaluate("document.getElementById('shown').textContent = 'Sold out'")
        expect(picture(alice).get_by_text("Sold out")).to_be_visible()
        assert picture(alice).locator("causerie-messenger iframe").count() == 0

        visitor.page.goto(f"{shop.url}/checkout")  # another page, the same look
        expect(border(visitor)).to_be_visible()
        expect(picture(alice).get_by_text(ORDER)).to_be_visible()

        stop(visitor)
        expect(border(visitor)).to_be_hidden()
        told = alice.page.get_by_text("The visitor has stopped showing their page.")
        expect(told.first).to_be_visible()
        expect(alice.page.get_by_title("The visitor's page")).to_have_count(0)
        rows = product.rows('SELECT "end", ended_at >= began_at FROM conversations_mirrorlook')
        assert rows == [("stopped", True)]


def test_a_purchase_is_seen_from_the_product_to_the_order(crowd: Crowd) -> None:
    shop = f"{crowd.product.url}/demo"
    visitor, alice = start(crowd, f"{shop}/products/lune/")
    look(alice)
    seen = picture(alice)
    expect(seen.get_by_role("heading", name="Lune")).to_be_visible()
    page = visitor.page
    visitor.reduce()
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_url(f"{shop}/cart/")
    expect(seen.get_by_role("button", name="Place the order")).to_be_visible()
    # A single-page step: the address changes, and a part of the page.
    page.evaluate(
        """history.pushState({}, "", "?step=2");
        document.querySelector("h1").textContent = "Your address" """
    )
    expect(seen.get_by_role("heading", name="Your address")).to_be_visible()
    page.set_viewport_size({"width": 700, "height": 800})
    expect(
        alice.page.get_by_title("The visitor's page").content_frame.locator("iframe")
    ).to_have_attribute("width", "700")
    page.get_by_role("button", name="Place the order").click()
    page.wait_for_url(re.compile(f"{shop}/order/"))
    expect(seen.get_by_role("link", name="Back to the shop")).to_be_visible()
    expect(border(visitor)).to_be_visible()


def test_a_visitor_refuses_to_be_seen_then_agrees_and_withdraws(
    crowd: Crowd, product: Product
) -> None:
    visitor, alice = crowd.visitor(), crowd.agent("alice").log_in().be_available()
    visitor.page.goto(f"{product.url}/demo/products/lune/")
    visitor.open()
    expect(visitor.frame.get_by_text("our advisers can see the page")).to_be_visible()
    visitor.frame.get_by_role("button", name="Not now").click()
    assert product.rows("SELECT 1 FROM conversations_consent") == []
    assert visitor.page.locator("script[src$='mirror.js']").count() == 0

    visitor.page.reload()
    visitor.open()
    visitor.agree()
    visitor.say(FIRST)
    alice.sees(FIRST)
    assert product.rows("SELECT covers_mirroring FROM conversations_consent") == [(True,)]
    look(alice)
    expect(border(visitor)).to_be_visible()
    visitor.frame.get_by_role("button", name="Settings").click()
    visitor.frame.get_by_role("button", name="Withdraw my consent").click()
    expect(border(visitor)).to_be_hidden()
    expect(alice.page.get_by_title("The visitor's page")).to_have_count(0)
    expect(alice.page.get_by_role("button", name="Show the page")).to_have_count(0)


def test_a_withdrawal_in_another_browser_ends_the_look_at_once(
    crowd: Crowd, product: Product
) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    laptop = crowd.visitor()
    log_in(laptop)
    laptop.open()
    laptop.agree()
    laptop.say(FIRST)
    alice.sees(FIRST)
    second_tab = laptop.context.new_page()
    second_tab.goto(f"{product.url}/demo/products/halo/")
    look(alice)
    expect(border(laptop)).to_be_visible()
    expect(second_tab.get_by_text("Alice can see this page")).to_be_visible()

    phone = crowd.visitor(viewport={"width": 390, "height": 844})
    log_in(phone)
    phone.open()
    phone.sees(FIRST)
    phone.frame.get_by_role("button", name="Settings").click()
    withdraw = phone.frame.get_by_role("button", name="Withdraw my consent")
    expect(withdraw).to_be_visible()
    # Right after a heartbeat, so that the next one comes nearly ten seconds later.
    heard = "SELECT heard_at FROM conversations_mirrorlook"
    before = product.rows(heard)
    for _try in range(300):
        if product.rows(heard) != before:
            break
        phone.page.wait_for_timeout(100)
    withdraw.click()
    for page in (laptop.page, second_tab):
        expect(page.get_by_text("Alice can see this page")).to_be_hidden()
    expect(alice.page.get_by_title("The visitor's page")).to_have_count(0)
    [(how, after_withdrawal, after_heartbeat)] = product.rows(
        """SELECT "end", extract(epoch FROM ended_at - given_at)::float,
        extract(epoch FROM ended_at - heard_at)::float
        FROM conversations_mirrorlook, conversations_consent WHERE kind = 'withdrawn'"""
    )
    assert how == "revoked"
    assert after_withdrawal < 4
    assert after_heartbeat < 10  # The next heartbeat would have come later.


def test_two_look_and_the_visitor_reads_both_names(crowd: Crowd) -> None:
    visitor, alice = start(crowd, f"{crowd.product.url}/demo/products/lune/")
    look(alice)
    expect(border(visitor)).to_be_visible()
    manager = crowd.agent("manager").log_in()
    manager.page.goto(alice.page.url)
    look(manager)
    expect(picture(manager).get_by_role("heading", name="Lune")).to_be_visible()
    expect(picture(alice).get_by_role("heading", name="Lune")).to_be_visible()
    expect(visitor.page.get_by_text("Alice and Marc can see this page")).to_be_visible()
    manager.page.get_by_role("button", name="Stop looking").click()
    expect(visitor.page.get_by_text("Alice can see this page")).to_be_visible()
    expect(manager.page.get_by_text("Who has seen it")).to_be_visible()


def test_the_tab_in_front_is_shown(crowd: Crowd) -> None:
    visitor, alice = start(crowd, f"{crowd.product.url}/demo/products/lune/")
    look(alice)
    expect(picture(alice).get_by_role("heading", name="Lune")).to_be_visible()
    other = visitor.context.new_page()
    other.goto(f"{crowd.product.url}/demo/products/halo/")
    expect(picture(alice).get_by_role("heading", name="Halo")).to_be_visible()
    # Playwright emulates the focus of all pages at once, so that none loses or gets it.
    visitor.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(picture(alice).get_by_role("heading", name="Lune")).to_be_visible()
    other.close()


def test_without_consent_to_it_nobody_looks(crowd: Crowd, product: Product) -> None:
    visitor, alice = start(crowd, f"{crowd.product.url}/demo/products/lune/")
    look(alice)
    expect(border(visitor)).to_be_visible()
    product.rows("UPDATE conversations_consent SET covers_mirroring = false RETURNING 1")
    # The look is checked with each heartbeat.
    expect(border(visitor)).to_be_hidden()
    expect(alice.page.get_by_text("The visitor has not agreed to show their page.")).to_be_visible()
    expect(alice.page.get_by_role("button", name="Show the page")).to_have_count(0)


def test_what_an_agent_saw_is_stored_where_the_website_says_so_and_managers_replay_it(
    crowd: Crowd, product: Product
) -> None:
    days = "UPDATE accounts_website SET looks_stored_days = %s WHERE key = 'demo' RETURNING 1"
    product.rows(days, 30)
    try:
        with site(product, '<h1>A brand</h1><p id="later">Before</p>') as shop:
            visitor, alice = start(crowd, shop.url)
            look(alice)
            expect(picture(alice).get_by_text("Before")).to_be_visible()
            expect(
                visitor.page.get_by_text("Alice can see this page, and it is stored")
            ).to_be_visible()
            visitor.page.evaluate("document.getElementById('later').textContent = 'After'")
            expect(picture(alice).get_by_text("After")).to_be_visible()
            alice.page.get_by_role("button", name="Stop looking").click()
            for _try in range(200):
                if product.rows("SELECT 1 FROM conversations_lookpart"):
                    break
                alice.page.wait_for_timeout(100)
            [(number,)] = product.rows("SELECT id FROM conversations_mirrorlook")
        # The visitor's site is gone: everything comes from what was stored.
        boss = crowd.agent("manager").log_in(f"/desk/looks/{number}/")
        boss.page.get_by_role("button", name="Play").click()
        expect(picture(boss).get_by_text("After")).to_be_visible()
        position = boss.page.get_by_role("slider", name="Position")
        position.press("Home")
        expect(picture(boss).get_by_text("Before")).to_be_visible()
        expect(picture(boss).get_by_text("After")).to_have_count(0)
        position.press("End")
        expect(picture(boss).get_by_text("After")).to_be_visible()
        expect(picture(boss).get_by_text("Before")).to_have_count(0)
        assert product.rows("SELECT count(*) FROM conversations_lookreplay") == [(1,)]
        crowd.expect_complaint("404")
        refused = alice.page.goto(f"{product.url}/desk/looks/{number}/")
        assert refused is not None
        assert refused.status == 404
    finally:
        product.rows(days, None)
