"""The picture of a visitor's page: how true, how large, and how often it is sent."""

from __future__ import annotations

import re
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.disconnects import Connection
from tests.browser.mirrors import ORDER, Wire, border, look, picture, site, start, wait_until
from tests.browser.product import Product

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
