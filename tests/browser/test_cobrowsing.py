"""Co-browsing: an agent acts on the visitor's page, with permission, and never where it is
forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import look, picture, site, start
from tests.browser.people import Agent, Visitor
from tests.browser.product import Product

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


FORBIDDEN = """<style>* { box-sizing: border-box } body { margin: 0; font: 14px/20px sans-serif }
form > *, p { display: block; width: 240px; height: 22px; margin: 1px; padding: 0 }
#below { position: relative } #over { position: absolute; inset: 0; width: 240px }</style>
<p><a id="mail" href="mailto:a@b.example">Mail</a></p><p><a id="phone" href="tel:1">Phone</a></p>
<p><a id="saved" href="/file/x" download>Download</a></p>
<p><a id="tab" href="/inside" target="_blank">New tab</a></p>
<p><a id="inside" href="/inside">A page of the site</a></p>
<p><button id="off" disabled>Off</button></p>
<p id="below"><button id="covered">Covered</button></p>
<p data-private><button id="secret">Private</button></p>
<p><label><input id="tick" type="checkbox">Tick</label></p>
<form onsubmit="did.push('submit'); return false">
<input id="code" autocomplete="one-time-code" aria-label="Code">
<input id="was" type="password" aria-label="Was"><input id="word" name="pwd" aria-label="Word">
<input id="fixed" readonly aria-label="Fixed"><input id="free" aria-label="Free">
<button id="asks" type="button" onclick="this.form.requestSubmit()">Asks</button>
</form>
<p><button id="picks" onclick="window.chosen.showPicker()">Picks</button></p>
<input id="chosen" type="file" hidden>
<script>did = []; addEventListener("click", ({ target, isTrusted }) => did.push(target.id));
free.value = "as it was"</script>"""


def test_each_forbidden_action_is_refused(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("")  # of the page's own scripts
    allow(product, ["click", "fill"])  # not: links, submits
    with site(product, FORBIDDEN) as shop:
        visitor, alice = begin(crowd, shop.url)
        page, view = visitor.page, picture(alice)
        expect(view.locator("#asks")).to_be_visible()
        # Only here: at the desk nothing lies over it, as when a dialog has opened meanwhile.
        page.evaluate(
            """() => {
              const over = Object.assign(document.createElement("causerie-cover"), {});
              over.style = "position: absolute; inset: 0; background: #fff";
              const host = document.getElementById("below").attachShadow({ mode: "closed" });
              host.append(document.createElement("slot"), over);
              document.getElementById("was").type = "text";
            }"""
        )
        tool(alice, "Click")
        for name, told in {
            "mail": "refused: not allowed",
            "inside": "refused: not allowed",
            "off": "refused: not possible on this element",
            "covered": "refused: the page has changed",
            "asks": "refused: not allowed",
            "picks": "refused: not allowed",
            "code": "refused: password, payment field or file",
        }.items():
            click(alice, view.locator(f"#{name}"))
            outcome(alice, told)
        tool(alice, "Fill in")
        for name, told in {
            "code": "refused: password, payment field or file",
            "was": "refused: password, payment field or file",
            "word": "refused: password, payment field or file",
            "fixed": "refused: not possible on this element",
            "tick": "refused: not possible on this element",
        }.items():
            click(alice, view.locator(f"#{name}"))
            alice.page.locator(".cobrowse-form input").fill("1")
            alice.page.locator(".cobrowse-form button").click()
            outcome(alice, told)
        # The server refuses what was not allowed, whatever a manipulated desk sends.
        for what in ("highlight", "draw", "scroll"):
            send(
                alice,
                {
                    "what": what,
                    "node": 9,
                    "tag": "p",
                    "label": "x",
                    "points": [1, 2, 3, 4],
                    "dx": 1,
                    "dy": 1,
                },
            )
            outcome(alice, "refused: not allowed")
        assert [row for row in acts(product) if row[2] == "done"] == []
        values = "['code', 'was', 'word', 'fixed', 'free'].map((id) => window[id].value)"
        assert page.evaluate(values) == ["", "", "", "", "as it was"]
        assert page.evaluate("[tick.checked, did.filter(Boolean)]") == [False, ["asks", "picks"]]
        assert (page.url, len(visitor.context.pages)) == (f"{shop.url}/", 1)


def test_links_that_leave_the_page_and_private_parts_are_refused(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("")
    with site(product, FORBIDDEN) as shop:
        visitor, alice = begin(crowd, shop.url)
        view = picture(alice)
        expect(view.locator("#asks")).to_be_visible()
        tool(alice, "Click")
        for name in ("mail", "phone", "saved", "tab"):
            click(alice, view.locator(f"#{name}"))
            outcome(alice, "refused: leads to another site")
        private = view.locator("#below + p")
        for chosen in ("Click", "Highlight"):
            tool(alice, chosen)
            click(alice, private)
            outcome(alice, "refused: private part of the page")
        assert visitor.page.evaluate("did.filter(Boolean)") == []
        assert len(visitor.context.pages) == 1


TALL = """<style>body { margin: 0; font: 14px/20px sans-serif }</style>
<p id="top" style="margin: 40px 200px; width: 300px">The top</p>
<div id="list" style="height: 120px; width: 300px; overflow: auto" tabindex="0">
<p style="height: 900px; margin: 0">A long list</p></div>
<form><label><input id="tick" type="checkbox">Tick</label>
<input id="town" aria-label="Town"><button id="empty" type="reset">Empty</button></form>
<div style="height: 4000px">A long page</div><p id="end">The end</p>"""
LINE = """() => document.querySelector("causerie-mirror").shadowRoot
  .querySelector(".scene polyline").getAttribute("points").split(" ").map(Number)"""


def test_an_agent_draws_and_the_visitor_sees_the_line_where_it_was_drawn(
    crowd: Crowd, product: Product
) -> None:
    with site(product, TALL) as shop:
        visitor, alice = begin(crowd, shop.url)
        target = picture(alice).locator("#top")
        expect(target).to_be_visible()
        tool(alice, "Draw")
        box = target.bounding_box()
        assert box
        mouse = alice.page.mouse
        left, right, middle = box["x"], box["x"] + box["width"], box["y"] + box["height"] / 2
        mouse.move(left, middle)
        mouse.down()
        mouse.move((left + right) / 2, middle, steps=3)
        mouse.move(right, middle, steps=3)
        mouse.up()
        expect(visitor.page.get_by_text("Alice draws on the page")).to_be_visible()
        points = visitor.page.evaluate(LINE)
        real = visitor.page.locator("#top").bounding_box()
        assert real
        assert abs(points[0] - real["x"]) < 6
        assert abs(points[-2] - real["x"] - real["width"]) < 6
        assert all(abs(y - real["y"] - real["height"] / 2) < 6 for y in points[1::2])
        outcome(alice, "Done")
        assert acts(product) == [("draw", "", "done")]
        expect(visitor.page.locator("causerie-mirror polyline")).to_have_count(0)  # it fades


def test_an_agent_scrolls_the_page_and_a_part_of_it(crowd: Crowd, product: Product) -> None:
    with site(product, TALL) as shop:
        visitor, alice = begin(crowd, shop.url)
        page, view = visitor.page, picture(alice)
        expect(view.locator("#top")).to_be_visible()

        def turn(over: Locator, by: int) -> None:
            box = over.bounding_box()
            assert box
            alice.page.mouse.move(box["x"] + 20, box["y"] + 5)
            alice.page.mouse.wheel(0, by)

        turn(view.locator("#list"), 200)
        expect(page.get_by_text("Alice scrolls")).to_be_visible()
        page.wait_for_function("list.scrollTop === 200")
        outcome(alice, "Done")
        turn(view.locator("#top"), 600)
        page.wait_for_function("scrollY === 600")
        outcome(alice, "Done")
        assert page.evaluate("list.scrollTop") == 200
        # The picture follows. No script runs in it, so nothing in it can wait.
        shown = view.locator("body")
        for _try in range(200):
            if shown.evaluate("(body) => body.ownerDocument.defaultView.scrollY") == 600:
                break
            page.wait_for_timeout(100)
        else:
            raise AssertionError("the picture does not follow")
        assert acts(product) == [("scroll", "", "done")] * 2


def test_without_the_permission_nothing_is_scrolled_ticked_or_emptied(
    crowd: Crowd, product: Product
) -> None:
    allow(product, ["click"])
    with site(product, TALL) as shop:
        visitor, alice = begin(crowd, shop.url)
        target = picture(alice).locator("#top")
        expect(target).to_be_visible()
        box = target.bounding_box()
        assert box
        alice.page.mouse.move(box["x"] + 20, box["y"] + 5)
        alice.page.mouse.wheel(0, 600)
        visitor.page.evaluate("town.value = 'Lyon'")
        for name in ("tick", "empty"):
            click(alice, picture(alice).locator(f"#{name}"))
            outcome(alice, "refused: not allowed")
        assert visitor.page.evaluate("[scrollY, tick.checked, town.value]") == [0, False, "Lyon"]
        assert [row[0] for row in acts(product)] == ["click", "click"]


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


def test_the_visitor_takes_the_page_back_by_a_click_and_nothing_more_is_done(
    crowd: Crowd, product: Product
) -> None:
    with site(product, PAGE) as shop:
        visitor, alice = begin(crowd, shop.url)
        expect(picture(alice).locator("#plain")).to_be_visible()
        tool(alice, "Click")
        visitor.page.get_by_role("button", name="Take back the page (Esc)").click()
        expect(visitor.page.get_by_text("Alice can see this page")).to_be_visible()
        outcome(alice, "The visitor has taken back the page.")
        expect(alice.page.get_by_role("button", name="Click", exact=True)).to_have_count(0)
        page = visitor.page.evaluate("document.getElementById('plain').textContent")
        assert page == "Press me"
        send(alice, {"what": "click", "node": 1, "tag": "button", "label": "Press me"})
        visitor.open()
        visitor.say("That is enough")  # by then the gesture would have arrived
        alice.sees("That is enough")
        expect(visitor.page.locator("#plain")).to_have_text("Press me")
        expect(picture(alice).locator("#plain")).to_be_visible()  # they still see it
        ends = product.rows('SELECT "end" FROM conversations_cobrowsingsession')
        assert (ends, acts(product)) == ([("stopped",)], [])


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
