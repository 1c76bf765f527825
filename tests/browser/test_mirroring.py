"""Agents see the page that the visitor has in front of them, masked; the visitor is in charge."""

from __future__ import annotations

import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, WebSocket, expect

from tests.browser.conftest import Crowd
from tests.browser.disconnects import Connection
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product
from tests.browser.test_identity import log_in

SCRIPT = '<script async src="{product}/embed.js" data-website="demo"></script>'
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
ORDER = "A lamp of brass"
FIRST = "Where is my parcel?"


class Site:
    """A brand's page on an origin that is not ours; ``asked`` are the paths that were requested.
    ``connections`` also counts those that requested nothing."""

    def __init__(self, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self.asked: list[str] = []
        self.connections = 0


@contextmanager
def site(product: Product, body: str) -> Iterator[Site]:
    page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>A brand</title>
        <link rel="icon" href="data:,">{body}{SCRIPT.format(product=product.url)}</html>"""
    served: list[Site] = []

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            served[0].connections += 1
            super().setup()

        def do_GET(self) -> None:
            served[0].asked.append(self.path)
            is_page = not self.path.startswith("/file/")
            self.send_response(200 if is_page else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode() if is_page else b"")

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.append(Site(server.server_address[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served[0]
    finally:
        server.shutdown()
        server.server_close()


class Wire:
    """The frames that a visitor's browser sends of its page, as text."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        if "/mirror/" in socket.url:
            socket.on("framesent", self._keep)

    def _keep(self, payload: Any) -> None:
        if isinstance(payload, bytes):
            self.frames.append(payload)

    @property
    def size(self) -> int:
        return sum(map(len, list(self.frames)))

    @property
    def text(self) -> str:
        texts, parts = [], b""
        for frame in list(self.frames):
            parts = (b"" if frame[0] & 2 else parts) + frame[1:]
            if frame[0] & 4:
                texts.append(zlib.decompress(parts, wbits=-15).decode())
        return "\n".join(texts)


def start(crowd: Crowd, url: str) -> tuple[Visitor, Agent]:
    """A conversation between a visitor on the page at ``url`` and Alice."""
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    visitor.page.goto(url)
    visitor.open()
    visitor.agree()
    visitor.say(FIRST)
    alice.sees(FIRST)
    return visitor, alice


def look(agent: Agent) -> None:
    agent.page.get_by_role("button", name="Show the page").click()


def picture(agent: Agent) -> Any:
    """The visitor's page as it is replayed at the desk."""
    frame = agent.page.get_by_title("The visitor's page").content_frame
    return frame.locator("iframe").content_frame


def border(visitor: Visitor) -> Any:
    return visitor.page.get_by_text("Alice can see this page")


def stop(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Stop sharing").click()


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


POINTED = """<style>body { margin: 0; font: 14px/20px sans-serif }
button { position: absolute; width: 120px; height: 40px } #buy { left: 700px; top: 300px }
#cancel { left: 200px; top: 500px }</style>
<button id="buy">Buy</button><button id="cancel">Cancel</button>"""


def test_the_visitors_pointer_and_clicks_are_seen_in_the_picture(crowd: Crowd) -> None:
    with site(crowd.product, POINTED) as shop:
        visitor, alice = start(crowd, shop.url)
        visitor.reduce()
        look(alice)
        expect(picture(alice).locator("#buy")).to_be_visible()
        alice.page.get_by_role("button", name="Enlarge the page").click()
        pointer = alice.page.get_by_title("The visitor's page").content_frame.locator(
            ".replayer-mouse"
        )

        def is_at(target: str) -> bool:
            point, box = pointer.bounding_box(), picture(alice).locator(target).bounding_box()
            assert point
            assert box
            return (
                abs(point["x"] - box["x"] - box["width"] / 2) < 15
                and abs(point["y"] - box["y"] - box["height"] / 2) < 15
            )

        assert not is_at("#buy")
        for target in ("#buy", "#cancel"):
            visitor.page.locator(target).hover()
            wait_until(alice.page, lambda target=target: is_at(target))
            expect(pointer).to_be_visible()
        expect(pointer).not_to_have_class(re.compile("active"))  # nothing was pressed
        visitor.page.locator("#buy").click()
        wait_until(alice.page, lambda: is_at("#buy"))
        expect(pointer).to_have_class(re.compile("active"))


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """For what Playwright cannot wait for."""
    for _try in range(300):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come")


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


BROKEN = """<style>@font-face { font-family: brand; src: url("/file/brand.woff2") }
h1 { font-family: brand, serif }</style><link rel="stylesheet" href="/file/brand.css">
<h1>Our lamps</h1><img src="/file/lamp.png" alt="A lamp" width="90" height="90">
<img src="/file/lamp.png" alt="The same lamp" width="90" height="90">
<img src="https://elsewhere.example/x.png" alt="A lamp of another host" width="90" height="90">"""


def test_what_cannot_be_loaded_at_the_desk_is_counted_and_told(crowd: Crowd) -> None:
    crowd.expect_complaint(r"404|ERR_|Content Security Policy|^CSP:|^Access to font")
    with site(crowd.product, BROKEN) as shop:
        _visitor, alice = start(crowd, shop.url)
        look(alice)
        expect(picture(alice).get_by_text("Our lamps")).to_be_visible()
        # The picture (once), that of a host which is not listed, the style sheet and the font.
        told = alice.page.get_by_text("Pictures, styles or fonts that cannot be loaded here: 4")
        expect(told).to_be_visible()
        # The page stays readable.
        expect(picture(alice).get_by_alt_text("A lamp of another host")).to_be_visible()


SET_VISIBILITY = """(state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
CHANGE = "(text) => (document.getElementById('a').textContent = text)"
# Longer than the recorder gathers events before it sends them.
AFTER_A_FLUSH = "new Promise((resolve) => setTimeout(() => requestIdleCallback(resolve), 1000))"


def test_frames_stop_while_the_visitors_tab_is_hidden(crowd: Crowd) -> None:
    with site(crowd.product, f"<p id='a'>{ORDER}</p>") as shop:
        visitor, alice = start(crowd, shop.url)
        wire, page = Wire(visitor.page), visitor.page
        look(alice)
        expect(picture(alice).get_by_text(ORDER)).to_be_visible()
        page.evaluate(CHANGE, "Changed in view")
        expect(picture(alice).get_by_text("Changed in view")).to_be_visible()
        page.evaluate(SET_VISIBILITY, "hidden")
        told = alice.page.get_by_text("The visitor is not looking at the site at the moment.")
        expect(told).to_be_visible()
        sent = wire.size
        assert sent > 0
        page.evaluate(CHANGE, "Changed while hidden")
        page.evaluate(AFTER_A_FLUSH)
        visitor.say("Are you still there?")  # what the Messenger sends later has arrived
        alice.sees("Are you still there?")
        assert wire.size == sent

        count = len(wire.frames)
        page.evaluate(SET_VISIBILITY, "visible")
        expect(picture(alice).get_by_text("Changed while hidden")).to_be_visible()
        assert wire.frames[count][0] & 1  # It begins with a full snapshot.
        expect(told).to_be_hidden()


def test_frames_stop_while_nobody_looks(crowd: Crowd) -> None:
    with site(crowd.product, f"<p id='a'>{ORDER}</p>") as shop:
        visitor, alice = start(crowd, shop.url)
        wire, page = Wire(visitor.page), visitor.page
        look(alice)
        expect(picture(alice).get_by_text(ORDER)).to_be_visible()
        alice.page.evaluate(SET_VISIBILITY, "hidden")
        expect(border(visitor)).to_be_hidden()
        sent = wire.size
        assert sent > 0
        page.evaluate(CHANGE, "Changed unseen")
        page.evaluate(AFTER_A_FLUSH)
        visitor.say("Are you still there?")
        expect(visitor.bubble("Are you still there?")).to_contain_text("Sent")
        assert wire.size == sent

        count = len(wire.frames)
        alice.page.evaluate(SET_VISIBILITY, "visible")
        expect(border(visitor)).to_be_visible()
        expect(picture(alice).get_by_text("Changed unseen")).to_be_visible()
        assert wire.frames[count][0] & 1
        ends = crowd.product.rows(
            'SELECT "end" FROM conversations_mirrorlook WHERE ended_at IS NOT NULL'
        )
        assert ends == [("left",)]


STRICT = """<meta http-equiv="Content-Security-Policy" content="style-src 'self'">
<p id="a">Lamps</p><p id="end">The end</p>"""


def test_styles_that_a_strict_policy_allows_are_seen_and_the_page_stays_as_it_is(
    crowd: Crowd,
) -> None:
    # By rrweb, in a scratch document: docs/mirroring.md explains it.
    crowd.expect_complaint(r"(?s)^(Applying inline style|CSP: style-src).*mirror\.js")
    with site(crowd.product, STRICT) as shop:
        visitor, alice = start(crowd, shop.url)
        look(alice)
        expect(border(visitor)).to_be_visible()
        expect(picture(alice).get_by_text("Lamps")).to_be_visible()
        assert crowd.unexpected() == crowd.complaints == []  # not before a style changes
        visitor.page.evaluate("window.a.style.color = 'red'")
        visitor.page.evaluate("window.a.style.color = 'rgb(0, 128, 0)'")
        for shown in (picture(alice).locator("#a"), visitor.page.locator("#a")):
            expect(shown).to_have_css("color", "rgb(0, 128, 0)")
        wait_until(visitor.page, lambda: bool(crowd.complaints))


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


def test_the_page_is_large_behind_the_dialogue_which_becomes_a_strip(crowd: Crowd) -> None:
    visitor, alice = start(crowd, f"{crowd.product.url}/demo/products/lune/")
    look(alice)
    page = alice.page
    expect(picture(alice).get_by_role("heading", name="Lune")).to_be_visible()
    thumbnail = page.get_by_title("The visitor's page")
    before = thumbnail.bounding_box()
    page.get_by_role("button", name="Enlarge the page").click()
    expect(page.get_by_role("button", name="Close the large view")).to_be_focused()
    after = thumbnail.bounding_box()
    assert before
    assert after
    assert after["width"] > 3 * before["width"]
    alice.say("I see it, too")  # the dialogue goes on in front of it
    visitor.sees("I see it, too")
    panes = page.locator("#panes")
    whole = panes.bounding_box()
    page.get_by_role("button", name="Reduce the dialogue").click()
    expect(alice.reply).to_be_hidden()
    strip = panes.bounding_box()
    assert whole
    assert strip
    assert strip["height"] < whole["height"] / 3
    page.mouse.move(strip["x"] + 150, strip["y"] + 10)
    page.mouse.down()
    page.mouse.move(strip["x"] - 150, strip["y"] - 190, steps=4)
    page.mouse.up()
    moved = panes.bounding_box()
    assert moved
    assert (round(moved["x"] - strip["x"]), round(moved["y"] - strip["y"])) == (-300, -200)
    page.keyboard.press("Escape")
    expect(alice.reply).to_be_visible()
    expect(page.get_by_role("button", name="Enlarge the page")).to_be_focused()
    page.get_by_role("button", name="Stop looking").click()
    expect(border(visitor)).to_be_hidden()


HOSTILE = """<p>The end of a hostile page</p>
<script>window.hit = 1</script><img src="x" onerror="parent.hit = top.hit = 1">
<a id="js" href="javascript:top.hit=1">press</a>
<iframe srcdoc="<script>top.hit=1</script>"></iframe>
<link rel="preconnect" href="{evil}"><link rel="dns-prefetch" href="{evil}">
<link rel="stylesheet" href="{evil}/file/sheet.css"><link rel="prefetch" href="{evil}/file/pre">
<style>@import url({evil}/file/import.css); @font-face {{ font-family: f; src: url({evil}/file/f) }}
p {{ font-family: f; background: url({evil}/file/background) }}</style>
<img src="{evil}/file/picture"><video src="{evil}/file/video" poster="{evil}/file/poster"></video>
<object data="{evil}/file/object"></object><embed src="{evil}/file/embed">
<svg><image href="{evil}/file/svg"/><use href="{evil}/file/use#a"/></svg>
<meta http-equiv="refresh" content="0; url={evil}/file/refresh"><base href="{evil}/">
<form action="{evil}/file/form"><button autofocus formaction="{evil}/file/action">Go</button></form>
<div hx-get="/desk/" hx-trigger="load" data-hx-on:load="top.hit=1" onclick="top.hit=1">hx</div>"""


def _nested(frames: list[Frame]) -> Frame:
    return next(one for one in frames if one.parent_frame and "/mirror/" in one.parent_frame.url)


def test_a_hostile_page_executes_and_fetches_nothing_at_the_desk(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("")  # of the hostile page itself, and of the desk's policy
    with site(product, "evil") as evil:
        evil_url = evil.url.replace("localhost", "127.0.0.1")
        with site(product, "<p>A page</p>") as shop:
            visitor, alice = start(crowd, shop.url)
            # Foreign to the website: its domains are localhost and 127.0.0.1 without a port.
            product.rows(
                "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
                ["localhost", f"127.0.0.1:{product.port}"],
            )
            try:
                look(alice)
                expect(picture(alice).get_by_text("A page")).to_be_visible()
                # A hostile browser sends what it likes, without our list of elements.
                _send_unclean(visitor.page, HOSTILE.format(evil=evil_url))
                expect(picture(alice).get_by_text("The end of a hostile page")).to_be_visible()
                inner = _nested(alice.page.frames)
                expect(picture(alice).get_by_text("hx")).to_be_visible()
                for frame in alice.page.frames:
                    if frame != inner:
                        assert frame.evaluate("window.hit ?? null") is None
                inner_html = picture(alice).locator("html").inner_html()
                assert not re.search(
                    r"<script|onerror|onclick|hx-get|srcdoc|javascript:", inner_html
                )
                assert "refresh" not in inner_html
                assert (evil.asked, evil.connections) == ([], 0)
                assert alice.page.url.startswith(product.url)
            finally:
                product.rows(
                    "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
                    ["localhost", "127.0.0.1", "[::1]"],
                )


# As if the list of elements and the sandbox had failed: put into the frame as it is.
REFUSED = """({ evil, html }) => new Promise((resolve) => {
  const refused = new Set();
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
    refused.add(effectiveDirective);
  });
  const part = document.createElement("div");
  part.innerHTML = html;
  document.body.append(part);
  const script = Object.assign(document.createElement("script"), { src: `${evil}/file/script.js` });
  const inline = document.createElement("script");
  inline.textContent = "window.hit = 1";
  const base = Object.assign(document.createElement("base"), { href: `${evil}/` });
  document.head.append(script, inline, base);
  fetch(`${evil}/file/fetch`).catch(() => {});
  try { new WebSocket(evil.replace("http", "ws")); } catch {}
  try { new Worker("/static/desk/desk.js"); } catch {}
  try { navigator.sendBeacon(`${evil}/file/beacon`, "x"); } catch {}
  document.fonts.load("12px refused", "p").catch(() => {});
  const wanted = %s;
  const wait = (tries) => {
    const isDone = tries === 0 || wanted.every((one) => refused.has(one));
    if (isDone) resolve([...refused].sort());
    else setTimeout(wait, 50, tries - 1);
  };
  wait(600);
})"""
SUBMITTED = """(evil) => {
  const form = document.createElement("form");
  Object.assign(form, { action: `${evil}/file/form`, method: "post" });
  document.body.append(form);
  setTimeout(() => form.submit());
}"""
DIRECTIVES = [
    "base-uri",
    "connect-src",
    "font-src",
    "frame-src",
    "img-src",
    "media-src",
    "object-src",
    "script-src-attr",
    "script-src-elem",
    "style-src-elem",
    "worker-src",
]


def test_the_policy_of_the_frame_refuses_what_a_hostile_page_would_do_by_itself(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("")  # each refusal is told to the console
    html = """<img src="{evil}/file/picture" onerror="top.hit = 1">
    <iframe src="{evil}/file/frame"></iframe><video src="{evil}/file/video"></video>
    <object data="{evil}/file/object"></object><embed src="{evil}/file/embed">
    <link rel="stylesheet" href="{evil}/file/sheet.css">
    <style>@font-face {{ font-family: refused; src: url({evil}/file/font) }}
    p {{ font-family: refused }}</style><p onclick="top.hit = 1">text</p>"""
    with site(product, "evil") as evil, site(product, "<p>A page</p>") as shop:
        _visitor, alice = start(crowd, shop.url)
        product.rows(
            "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
            [f"localhost:{shop.url.rpartition(':')[2]}", f"127.0.0.1:{product.port}"],
        )
        try:
            look(alice)
            expect(picture(alice).get_by_text("A page")).to_be_visible()
            frame = next(one for one in alice.page.frames if one.url.endswith("/mirror/"))
            known = {"evil": evil.url, "html": html.format(evil=evil.url)}
            refused = frame.evaluate(REFUSED.replace("%s", str(DIRECTIVES)), known)
            assert refused == DIRECTIVES
            assert frame.evaluate("window.hit ?? top.hit ?? null") is None
            # The last one, because the browser then puts a page of its own into the frame.
            frame.evaluate(SUBMITTED, evil.url)
            for _try in range(200):
                if any("form-action" in complaint for complaint in crowd.complaints):
                    break
                alice.page.wait_for_timeout(100)
            else:
                raise AssertionError("the form was not refused")
            assert (evil.asked, evil.connections) == ([], 0)
        finally:
            product.rows(
                "UPDATE accounts_website SET domains = %s WHERE key = 'demo' RETURNING 1",
                ["localhost", "127.0.0.1", "[::1]"],
            )


# The iframe of the Messenger, asked by a page that has built its own snapshot.
UNCLEAN = """(html) => {
  const parsed = new DOMParser().parseFromString(`<html><body>${html}</body></html>`, "text/html");
  let id = 0;
  const read = (node) => {
    id += 1;
    if (node.nodeType === 3) return { type: 3, id, textContent: node.data };
    if (node.nodeType !== 1) return { type: 3, id, textContent: "" };
    const pairs = [...node.attributes].map(({ name, value }) => [name, value]);
    const [attributes, childNodes] = [Object.fromEntries(pairs), [...node.childNodes].map(read)];
    return { type: 2, id, tagName: node.localName, attributes, childNodes };
  };
  const root = read(parsed.documentElement);
  const timestamp = Date.now();
  const events = [
    { type: 4, timestamp, data: { href: location.href, width: 1280, height: 800 } },
    { type: 2, timestamp, data: {
      node: { type: 0, id: 9999, childNodes: [root] }, initialOffset: { top: 0, left: 0 } } },
  ];
  const frame = document.querySelector("causerie-messenger").shadowRoot.querySelector("iframe");
  const message = { causerie: 1, type: "mirror:events", events, isStart: true };
  frame.contentWindow.postMessage(message, "*");
}"""


def _send_unclean(page: Page, html: str) -> None:
    page.evaluate(UNCLEAN, html)


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


def test_a_cut_is_healed_by_a_new_snapshot(crowd: Crowd) -> None:
    crowd.expect_complaint(r"ERR_|WebSocket|Failed to fetch|^htmx:|^uncaught: undefined$")
    line = Connection(crowd.product.port)
    try:
        visitor, alice = start(crowd, f"{line.url}/demo/products/lune/")
        look(alice)
        heading = picture(alice).get_by_role("heading", name="Lune")
        expect(heading).to_be_visible()
        line.cut()
        visitor.page.evaluate("document.querySelector('h1').textContent = 'While it was cut'")
        line.heal()
        missed = picture(alice).get_by_role("heading", name="While it was cut")
        expect(missed).to_be_visible()
        expect(border(visitor)).to_be_visible()
    finally:
        line.stop()


def test_ten_thousand_elements(
    crowd: Crowd, product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(
        f'<div class="row"><p>Line {n} <b>of</b> <i>many</i></p></div>' for n in range(2500)
    )
    with site(product, f"<main>{rows}</main><p>The last line</p>") as shop:
        visitor, alice = start(crowd, shop.url)
        visitor.page.evaluate(
            """() => {
              window.tasks = [];
              const note = (list) => tasks.push(...list.getEntries().map((e) => e.duration));
              new PerformanceObserver(note).observe({ type: "longtask" });
            }"""
        )
        assert visitor.page.evaluate("document.getElementsByTagName('*').length") > 10_000
        look(alice)
        expect(picture(alice).get_by_text("The last line")).to_be_attached()
        took = visitor.page.evaluate(
            "performance.getEntriesByName('causerie:snapshot').map((e) => Math.round(e.duration))"
        )
        tasks = visitor.page.evaluate("tasks.map(Math.round)")
        with capsys.disabled():
            sys.stdout.write(f"\n10,000 elements: a snapshot took {took} ms of the main thread; ")
            sys.stdout.write(f"long tasks of the page: {tasks} ms\n")
        assert took
        # A quiet machine needs a fifth of a second; this one may be busy.
        assert max(took) < 5000


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
