"""What a visitor's page must never send, and which fields the picture masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import FIRST, ORDER, Wire, look, picture, site, start
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

# What a brand's page may hold that must never leave the browser.
PRIVATE = """<h1>An order</h1><p id="shown">A lamp of brass</p>
<form action="/pay?form-secret=1"><input id="name" value="Jeanne-in-the-field">
<input type="password" value="password-of-the-page"><input type="hidden" value="hidden-token">
<input autocomplete="cc-number" value="4242-4242"><textarea>a-text-in-the-area</textarea>
<select><option value="choice-value" selected>Red</option><option>Blue</option></select>
<input type="checkbox" value="value-of-a-box" checked></form>
<p data-private>the-private-part</p><p class="invoice">the-invoice</p>
<p contenteditable>what-is-edited</p><meta name="csrf-token" content="csrf-of-the-page">
<a href="/next?session=query-of-a-link">Next</a><script>const inline = "text-of-a-script"</script>
<!-- a-comment --><p data-customer="customer-in-an-attribute">end</p>"""


SECRETS = [
    "form-secret",
    "Jeanne-in-the-field",
    "password-of-the-page",
    "hidden-token",
    "4242-4242",
    "a-text-in-the-area",
    "choice-value",
    "value-of-a-box",
    "the-private-part",
    "the-invoice",
    "what-is-edited",
    "csrf-of-the-page",
    "query-of-a-link",
    "text-of-a-script",
    "a-comment",
    "customer-in-an-attribute",
    "typed-by-hand",
    "typed-as-password",
]


def show_inputs(product: Product, *, shown: bool) -> None:
    assert product.rows(
        "UPDATE accounts_website SET mirror_shows_inputs = %s WHERE key = 'demo' RETURNING 1", shown
    )


def hide(product: Product, selectors: str) -> None:
    assert product.rows(
        "UPDATE accounts_website SET mirror_hides = %s WHERE key = 'demo' RETURNING 1", selectors
    )


@pytest.fixture(autouse=True)
def _as_it_was(product: Product) -> Iterator[None]:
    yield
    hide(product, "")
    show_inputs(product, shown=False)


def test_what_is_private_never_leaves_the_browser(crowd: Crowd, product: Product) -> None:
    hide(product, ".invoice")
    with site(product, PRIVATE) as shop:
        alice = crowd.agent("alice").log_in().be_available()
        visitor = crowd.visitor()
        wire = Wire(visitor.page)
        visitor.page.goto(f"{shop.url}/order?session=query-of-a-link")
        visitor.open()
        visitor.agree()
        visitor.say(FIRST)
        alice.sees(FIRST)
        look(alice)
        expect(picture(alice).get_by_text(ORDER)).to_be_visible()
        page = visitor.page
        page.locator("#name").fill("typed-by-hand")
        page.locator("[type=password]").fill("typed-as-password")
        page.evaluate("document.querySelector('[type=password]').type = 'text'")
        page.locator("[type=password], [autocomplete]").first.press("End")
        page.evaluate(
            """() => {
              document.querySelector("[type=hidden]").value = "hidden-token";
              document.querySelector("[type=hidden]").setAttribute("value", "hidden-token");
              document.querySelector("[data-private]").textContent = "the-private-part!";
              document.querySelector("a").href = "/other?session=query-of-a-link";
              document.querySelector("textarea").textContent = "a-text-in-the-area!";
              document.querySelector("[contenteditable]").textContent = "what-is-edited!";
              document.querySelector("#shown").textContent = "The end of the list";
            }"""
        )
        expect(picture(alice).get_by_text("The end of the list")).to_be_visible()
        sent = wire.text
        assert ORDER in sent
        assert "The end of the list" in sent
        assert [secret for secret in SECRETS if secret in sent] == []


def test_what_becomes_private_later_disappears_at_the_desk(crowd: Crowd, product: Product) -> None:
    hide(product, ".invoice")
    body = f"""<p>{ORDER}</p><p id="a">a-balance</p><p id="b">an-invoice</p>
    <section id="c"><i>a-part</i></section><p id="end">The end</p>"""
    with site(product, body) as shop:
        visitor, alice = start(crowd, shop.url)
        look(alice)
        for text in ("a-balance", "an-invoice", "a-part"):
            expect(picture(alice).get_by_text(text)).to_be_visible()
        page = visitor.page
        # The next full snapshot, which leaves them out, may come long after.
        page.evaluate("window.requestIdleCallback = () => {}")
        page.evaluate("document.getElementById('a').setAttribute('data-private', '')")
        expect(picture(alice).get_by_text("a-balance")).to_have_count(0)
        page.evaluate("document.getElementById('b').className = 'invoice'")
        expect(picture(alice).get_by_text("an-invoice")).to_have_count(0)
        page.evaluate("document.getElementById('c').className = 'invoice'")
        expect(picture(alice).get_by_text("a-part")).to_have_count(0)
        page.evaluate("document.getElementById('a').textContent = 'another-balance'")
        page.evaluate("document.getElementById('end').textContent = 'The new end'")
        expect(picture(alice).get_by_text("The new end")).to_be_visible()
        assert picture(alice).get_by_text("another-balance").count() == 0


TYPED = """<input id="town" aria-label="Town"><textarea id="gift" aria-label="Gift"></textarea>
<select id="colour"><option>Red</option><option>Blue</option></select>
<input id="tick" type="checkbox"><input id="word" type="password">
<input id="card" autocomplete="cc-number"><input id="payment" name="cardNumber">
<div data-private><input id="diary"></div><p id="end">The end</p>"""


MASK = "••••••"


def fill_in(visitor: Visitor, alice: Agent) -> Any:
    """Return the picture in which the fields have been filled."""
    page, view = visitor.page, picture(alice)
    expect(view.locator("#town")).to_be_visible()
    for name in ("town", "gift", "word", "card", "payment", "diary"):
        page.locator(f"#{name}").press_sequentially(f"the {name}")
    page.locator("#colour").select_option("Blue")
    page.locator("#tick").check()
    page.evaluate("document.getElementById('end').textContent = 'All filled in'")
    expect(view.get_by_text("All filled in")).to_be_visible()
    for name in ("word", "card", "payment"):
        expect(view.locator(f"#{name}")).to_have_value(MASK)
    assert view.locator("#diary").count() == 0
    return view


def test_the_picture_shows_what_is_typed_where_the_website_wants_it_and_never_secrets(
    crowd: Crowd, product: Product
) -> None:
    show_inputs(product, shown=True)
    with site(product, TYPED) as shop:
        visitor, alice = start(crowd, shop.url)
        look(alice)
        view = fill_in(visitor, alice)
        expect(view.locator("#town")).to_have_value("the town")
        expect(view.locator("#gift")).to_have_value("the gift")
        expect(view.locator("#colour")).to_have_value("Blue")
        expect(view.locator("#tick")).to_be_checked()


def test_the_picture_masks_every_field_unless_the_website_says_otherwise(crowd: Crowd) -> None:
    with site(crowd.product, TYPED) as shop:
        visitor, alice = start(crowd, shop.url)
        look(alice)
        view = fill_in(visitor, alice)
        expect(view.locator("#town")).to_have_value(MASK)
        expect(view.locator("#gift")).to_have_value(MASK)
        expect(view.locator("#tick")).not_to_be_checked()
        assert view.locator("#colour").evaluate("({ value }) => value") != "Blue"


def test_nothing_private_means_no_further_snapshot(crowd: Crowd) -> None:
    with site(crowd.product, f"<p id='a'>{ORDER}</p><p data-private>hidden</p>") as shop:
        visitor, alice = start(crowd, shop.url)
        look(alice)
        expect(picture(alice).get_by_text(ORDER)).to_be_visible()
        taken = "performance.getEntriesByName('causerie:snapshot').length"
        before = visitor.page.evaluate(taken)
        for n in range(30):
            visitor.page.evaluate(f"document.getElementById('a').textContent = 'Lamp {n}'")
            expect(picture(alice).get_by_text(f"Lamp {n}", exact=True)).to_be_visible()
        assert visitor.page.evaluate(taken) == before
