"""A machine that slept, a colleague who left: nothing is lost, and the view is up to date."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.product import Product
from tests.browser.test_lines import NO_LINE, expect_equal_views, in_conversation

HOUR_MS = 3_600_000


def test_desk_recovers_after_an_hour_of_sleep(crowd: Crowd) -> None:
    """The lid is closed: no connection, a dead socket, and on waking a clock that has jumped."""
    crowd.expect_complaint(NO_LINE)
    visitor, alice = in_conversation(crowd)
    alice.page.clock.install()
    alice.page.reload()
    alice.sees("first")
    alice.reply.fill("half an answer")
    alice.context.set_offline(True)
    visitor.say("while you slept")
    other = crowd.visitor()
    other.start("somebody new")
    alice.page.clock.fast_forward(HOUR_MS)
    alice.context.set_offline(False)
    alice.page.clock.fast_forward(60_000)
    alice.sees("while you slept")
    expect(alice.boxes).to_have_count(2)
    expect(alice.reply).to_have_value("half an answer")
    alice.reply.fill("")
    alice.say("Good morning again")
    visitor.sees("Good morning again")
    expect_equal_views(visitor, alice, ["first", "while you slept", "Good morning again"])


def test_disabled_agent_receives_no_transfer(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("422")
    _visitor, alice = in_conversation(crowd)
    alice.reply.fill("half an answer")
    alice.act("Transfer")
    dialog = alice.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("She waits for a call.")
    product.rows("UPDATE accounts_user SET is_active = false WHERE username = 'bruno' RETURNING id")
    try:
        alice.transfer("Bruno")
        expect(dialog.get_by_role("alert")).to_be_visible()
        expect(dialog.get_by_role("textbox")).to_have_value("She waits for a call.")
        expect(dialog.get_by_role("radio", name=re.compile("Bruno"))).to_have_count(0)
    finally:
        product.rows(
            "UPDATE accounts_user SET is_active = true WHERE username = 'bruno' RETURNING id"
        )
    dialog.get_by_role("button", name="Cancel").first.click()
    expect(alice.reply).to_have_value("half an answer")
