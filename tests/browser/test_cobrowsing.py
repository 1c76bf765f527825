"""Co-browsing: an agent acts on the visitor's page, with permission, and never where it is
forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product
from tests.browser.test_mirroring import look, picture, site, start

ALL = ["point", "highlight", "draw", "scroll", "link", "click", "fill"]
PAGE = """<style>* { box-sizing: border-box } body { margin: 0; font: 14px/20px sans-serif }
form > *, p { display: block; width: 240px; height: 24px; margin: 2px }</style>
<p><button id="plain" onclick="this.textContent = 'Pressed'">Press me</button></p>
<p><a id="inside" href="/inside">A page of the site</a></p>
<p><a id="outside" href="https://elsewhere.example/">Another site</a></p>
<p><a id="script" href="javascript:document.title='ran'">A script</a></p>
<form onsubmit="sent = true; return false">
<input id="town" aria-label="Town"><select id="colour" aria-label="Colour">
<option>Red</option><option>Blue</option></select>
<input id="word" type="password" aria-label="Word"><input id="file" type="file" aria-label="File">
<input id="card" autocomplete="cc-number" aria-label="Number">
<input id="payment" name="cardNumber" aria-label="Card">
<button id="buy">Buy now</button></form>
<p><button id="sly" onclick="document.forms[0].submit()">Sly</button></p>
<p><button id="sly2" onclick="document.getElementById('file').click()">Sly file</button></p>
<p data-private><button id="secret">Private</button></p>
<p><button id="fickle">Fickle</button></p>
<p id="mixed">Public words <b data-private>private-words</b></p>
<svg id="drawn" xmlns:xlink="http://www.w3.org/1999/xlink" width="90" height="20">
<a xlink:href="https://elsewhere.example/"><rect width="90" height="20" /></a></svg>
<script>addEventListener("click", (event) => event.target.id === "file" && (chosen = true));
sent = chosen = false; HTMLFormElement.prototype.submit = () => (sent = true)</script>"""


@pytest.fixture(autouse=True)
def _allowed(product: Product) -> Iterator[None]:
    allow(product, ALL)
    yield
    allow(product, [])


def allow(product: Product, permissions: list[str]) -> None:
    assert product.rows(
        "UPDATE accounts_website SET cobrowsing = %s WHERE key = 'demo' RETURNING 1", permissions
    )


def begin(crowd: Crowd, url: str) -> tuple[Visitor, Agent]:
    """A session that the visitor has accepted, with the page large at the desk."""
    visitor, alice = start(crowd, url)
    look(alice)
    expect(picture(alice).locator("body")).to_be_visible()
    alice.page.get_by_role("button", name="Ask to act on the page").click()
    expect(visitor.frame.get_by_text("Alice would like to help you on this page")).to_be_visible()
    visitor.frame.get_by_role("button", name="Allow").click()
    expect(visitor.page.get_by_text("Alice can act on this page")).to_be_visible()
    alice.page.get_by_role("button", name="Enlarge the page").click()
    visitor.reduce()
    return visitor, alice


def tool(agent: Agent, name: str) -> None:
    agent.page.get_by_role("button", name=name, exact=True).click()


def click(agent: Agent, target: Locator) -> None:
    """Click on something in the picture: its frame takes the events itself."""
    box = target.bounding_box()
    assert box
    agent.page.mouse.click(box["x"] + min(box["width"], 40) / 2, box["y"] + box["height"] / 2)


def outcome(agent: Agent, text: str) -> None:
    status = agent.page.locator(".cobrowse-status")
    expect(status).to_have_text(text)
    # The next outcome may be the same.
    status.evaluate("(element) => element.replaceChildren()")


def acts(product: Product) -> list[tuple[object, ...]]:
    return product.rows("SELECT kind, target, outcome FROM conversations_cobrowsingact ORDER BY id")


def send(agent: Agent, frame: dict[str, Any]) -> None:
    """A gesture that the picture did not offer, as a manipulated desk would send it."""
    agent.page.locator(".mirror-picture iframe").content_frame.locator("#stage").evaluate(
        """(_stage, message) => {
          const told = { causerie: 1, type: "mirror:gesture", ...message };
          parent.postMessage(told, location.origin);
        }""",
        frame,
    )


def test_an_agent_acts_and_nothing_forbidden_is_done(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("")  # of the page's own links and scripts
    with site(product, PAGE) as shop:
        visitor, alice = begin(crowd, shop.url)
        page, view = visitor.page, picture(alice)

        tool(alice, "Highlight")
        click(alice, view.locator("#plain"))
        expect(page.get_by_text("Alice highlights “Press me”")).to_be_visible()
        outcome(alice, "Done: Press me")
        click(alice, view.locator("#mixed"))
        outcome(alice, "Done: Public words")

        tool(alice, "Click")
        click(alice, view.locator("#plain"))
        expect(page.get_by_text("Alice clicks “Press me”")).to_be_visible()
        expect(page.locator("#plain")).to_have_text("Pressed")
        outcome(alice, "Done: Press me")

        for name, refused in {
            "outside": "refused: leads to another site",
            "drawn": "refused: leads to another site",
            "script": "refused: leads to another site",
            "buy": "refused: not allowed",
            "sly": "refused: not allowed",
            "sly2": "refused: not allowed",
            "file": "refused: password, payment field or file",
            "word": "refused: password, payment field or file",
        }.items():
            click(alice, view.locator(f"#{name}"))
            outcome(alice, refused)

        tool(alice, "Fill in")
        for name, text, told in (
            ("town", "Lyon", "Done: Town"),
            ("colour", "blue", "Done: Colour"),
            ("colour", "green", "refused: not possible on this element"),
            ("word", "guessed", "refused: password, payment field or file"),
            ("card", "4242", "refused: password, payment field or file"),
            ("payment", "4242", "refused: password, payment field or file"),
            ("file", "C:\\secrets", "refused: password, payment field or file"),
        ):
            click(alice, view.locator(f"#{name}"))
            alice.page.locator(".cobrowse-form input").fill(text)
            alice.page.locator(".cobrowse-form button").click()
            outcome(alice, told)
        values = "['town', 'colour', 'word', 'card', 'payment'].map((id) => window[id].value)"
        assert page.evaluate(values) == ["Lyon", "Blue", "", "", ""]
        assert page.evaluate("[sent, chosen, document.title]") == [False, False, "A brand"]

        # An element that is no longer what the agent saw, and one that they never saw.
        node = view.locator("#fickle")
        expect(node).to_be_visible()
        tool(alice, "Click")
        page.evaluate("window.fickle.replaceWith(Object.assign(document.createElement('p')))")
        send(alice, {"what": "click", "node": 999_999, "tag": "button", "label": "Fickle"})
        outcome(alice, "refused: the page has changed")

        click(alice, view.locator("#inside"))
        page.wait_for_url(f"{shop.url}/inside")
        expect(page.get_by_text("Alice can act on this page")).to_be_visible()  # still
        done = [row for row in acts(product) if row[2] == "done"]
        assert ("link", "A page of the site", "done") in done
        assert {row[0] for row in done} == {"highlight", "click", "link", "fill"}
        assert "Lyon" not in str(acts(product))
        assert "private-words" not in str(acts(product))


def test_a_page_that_changed_meanwhile_is_refused(crowd: Crowd, product: Product) -> None:
    with site(product, PAGE) as shop:
        visitor, alice = begin(crowd, shop.url)
        target = picture(alice).locator("#fickle")
        expect(target).to_be_visible()
        tool(alice, "Click")
        # While the visitor reads what will happen, the page puts something else there.
        visitor.page.evaluate(
            """addEventListener("mouseover", () => {}); new MutationObserver(() => {
              window.fickle.textContent = "Delete the account";
              window.fickle.onclick = () => (window.deleted = true);
            }).observe(document.querySelector("causerie-mirror").shadowRoot,
              { subtree: true, childList: true })"""
        )
        click(alice, target)
        outcome(alice, "refused: the page has changed")
        assert visitor.page.evaluate("window.deleted ?? false") is False


def test_the_visitor_takes_the_page_back_by_escape(crowd: Crowd, product: Product) -> None:
    with site(product, PAGE) as shop:
        visitor, alice = begin(crowd, shop.url)
        visitor.page.locator("#town").focus()
        visitor.page.keyboard.press("Escape")
        expect(visitor.page.get_by_text("Alice can see this page")).to_be_visible()
        outcome(alice, "The visitor has taken back the page.")
        expect(picture(alice).locator("#plain")).to_be_visible()  # they still see it
        rows = product.rows(
            'SELECT "end", accepted_at < ended_at FROM conversations_cobrowsingsession'
        )
        assert rows == [("stopped", True)]


def test_a_visitor_who_declines_keeps_the_page(crowd: Crowd, product: Product) -> None:
    with site(product, PAGE) as shop:
        visitor, alice = start(crowd, shop.url)
        look(alice)
        expect(picture(alice).locator("#plain")).to_be_visible()
        alice.page.get_by_role("button", name="Ask to act on the page").click()
        visitor.frame.get_by_role("button", name="No thanks").click()
        outcome(alice, "The visitor has declined.")
        expect(visitor.page.get_by_text("Alice can see this page")).to_be_visible()
        assert acts(product) == []


def test_without_permission_of_the_website_there_is_no_button(
    crowd: Crowd, product: Product
) -> None:
    allow(product, [])
    with site(product, PAGE) as shop:
        _visitor, alice = start(crowd, shop.url)
        look(alice)
        expect(picture(alice).locator("#plain")).to_be_visible()
        assert alice.page.get_by_role("button", name="Ask to act on the page").count() == 0
