"""Visitors who want to talk before they write: an agent who is free answers at once; otherwise one
calls back when they take the conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import site
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product
from tests.browser.test_calls import LISTEN, calls, flows, iframe, panel, press


@pytest.fixture
def calling(product: Product) -> Iterator[None]:
    """The demo's targeting rules offer calls, by the rule of its chats; Alice takes one call."""
    product.rows("UPDATE routing_targetingrule SET calls_rule_id = rule_id RETURNING 1")
    product.rows(
        """INSERT INTO accounts_agentchannel (agent_id, channel, slots, is_available,
            available_changed_at)
        SELECT id, 'call', 1, false, now() FROM accounts_agent WHERE display_name = 'Alice'
        RETURNING 1"""
    )
    yield
    product.rows("UPDATE routing_targetingrule SET calls_rule_id = NULL RETURNING 1")
    product.rows("DELETE FROM accounts_agentchannel WHERE channel = 'call' RETURNING 1")


def arrive(crowd: Crowd) -> tuple[Visitor, Agent]:
    alice = crowd.agent("alice")
    alice.context.add_init_script(LISTEN)
    alice.log_in()
    visitor = crowd.visitor()
    visitor.context.add_init_script(LISTEN)
    return visitor, alice


def take_calls(alice: Agent) -> None:
    button = alice.page.get_by_role("button", name=re.compile("^Call:"))
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")


@pytest.mark.usefixtures("calling")
def test_a_free_agent_answers_the_call_at_once(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = arrive(crowd)
        take_calls(alice)
        visitor.page.goto(shop.url)
        visitor.open()
        ask = visitor.frame.get_by_role("button", name="Call an adviser")
        for _try in range(20):  # the answer to a page may be two seconds old
            if ask.is_visible():
                break
            visitor.page.reload()
            visitor.open()
            visitor.page.wait_for_timeout(500)
        ask.click()
        visitor.agree()  # consent comes first, then the call goes on by itself
        visitor.sees("I would like to talk to an adviser.")
        press(alice, "Answer")
        flows(alice.page)
        flows(lambda: iframe(visitor))
        full = alice.page.get_by_role("button", name=re.compile("^Call:.*full"))
        expect(full).to_be_visible()
        press(alice, "Hang up")
        expect(panel(visitor)).to_contain_text("Alice has hung up.")
        assert calls(product) == [("ended", "hung_up", "agent")]
        assert product.rows("SELECT channel FROM conversations_conversation") == [("call",)]


@pytest.mark.usefixtures("calling")
def test_who_cannot_be_answered_at_once_is_called_back(crowd: Crowd, product: Product) -> None:
    with site(product, "<h1>A brand</h1>") as shop:
        visitor, alice = arrive(crowd)
        visitor.page.goto(shop.url)
        visitor.open()
        visitor.agree()
        visitor.frame.get_by_role("button", name="Ask to be called back").click()
        visitor.sees("I would like to talk to an adviser.")
        expect(visitor.frame.get_by_text("An adviser will call you here.")).to_be_visible()
        expect(visitor.frame.get_by_role("group", name="Talk to an adviser")).to_be_hidden()
        take_calls(alice)
        alice.sees("I would like to talk to an adviser.")
        alice.page.get_by_role("button", name="Call now").click()
        press(visitor, "Answer")
        flows(alice.page)
        flows(lambda: iframe(visitor))
        press(visitor, "Hang up")
        expect(panel(alice)).to_contain_text("has hung up.")
        expect(alice.page.get_by_role("button", name="Call now")).to_have_count(0)
        assert calls(product) == [("ended", "hung_up", "visitor")]
