"""Commands of a brand's page to the Messenger, its events, and embedding in difficult pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import brand
from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.people import Visitor
from tests.browser.product import Product
from tests.browser.test_files import attach, is_drawn, png
from tests.browser.test_identity import log_in

EVENTS = [
    "ready",
    "displayed",
    "opened",
    "minimized",
    "message:sent",
    "message:received",
    "unread",
    "conversation:started",
    "conversation:ended",
    "survey:shown",
    "survey:answered",
]
# As in docs/embedding.md: the page calls before the script has loaded.
EARLY = """if (window === top) {
  window.heard = [];
  window.Causerie ??= Object.assign((...call) => Causerie.q.push(call), { q: [] });
  for (const name of %s) Causerie("on", name, (detail) => heard.push([name, detail ?? null]));
}"""
# Browsers refuse storage by throwing on mere access.
REFUSE = """if (%s) for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, {
    get() { throw new DOMException("The user denied access.", "SecurityError"); },
  });"""
STORED_NAMES = "Object.keys(localStorage).map((name) => name.split(':')[2] ?? '').sort()"
KEYBOARD = """(height) => {
  const seen = new EventTarget();
  Object.assign(seen, { scale: 1, height: innerHeight, offsetTop: 0 });
  Object.defineProperty(window, "visualViewport", { value: seen });
  window.type = (height, offsetTop = 0) => {
    Object.assign(seen, { height, offsetTop });
    seen.dispatchEvent(new Event("resize"));
  };
}"""
# The distance of a bubble's last line from its left and right edge.
LAST_LINE = """(bubble) => {
  const texts = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT);
  let line;
  while (texts.nextNode()) {
    const { data } = texts.currentNode;
    const start = data.lastIndexOf("\\n") + 1;
    if (!data.includes("نعم")) continue;
    line = document.createRange();
    line.setStart(texts.currentNode, start);
    line.setEnd(texts.currentNode, data.length);
  }
  const [inner, outer] = [line.getBoundingClientRect(), bubble.getBoundingClientRect()];
  return [inner.left - outer.left, outer.right - inner.right];
}"""
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def port(product: Product) -> Iterator[int]:
    """A brand's page with a strict policy, on an origin that is not ours."""
    with brand.page(product.url, "demo") as served:
        yield served


def new_visitor(crowd: Crowd, port: int, **options: Any) -> Visitor:
    return Visitor(crowd.context(**options), f"http://localhost:{port}")


def events_of(visitor: Visitor, name: str, *, times: int = 1) -> list[Any]:
    """Return what the page received for that event, once it has received it so often."""
    count = "([name, times]) => heard.filter(([one]) => one === name).length >= times"
    visitor.page.wait_for_function(count, arg=[name, times])
    events = visitor.page.evaluate("name => heard.filter(([one]) => one === name)", name)
    assert len(events) == times
    return [detail for _name, detail in events]


def test_page_receives_events(crowd: Crowd, port: int, product: Product) -> None:
    """Every event of the embedding contract, from calls made before the script had loaded."""
    alice = crowd.agent("alice").log_in().be_available()
    visitor = new_visitor(crowd, port)
    visitor.context.add_init_script(EARLY % EVENTS)
    visitor.visit("/")
    events_of(visitor, "ready")
    assert events_of(visitor, "displayed")[0]["kind"] in {"button", "text"}

    visitor.page.evaluate("Causerie('open')")
    events_of(visitor, "opened")
    visitor.agree()
    visitor.say("Good morning")
    [started] = events_of(visitor, "conversation:started")
    assert events_of(visitor, "message:sent") == [started | {"seq": 1, "author": "visitor"}]
    visitor.page.evaluate("Causerie('minimize')")
    events_of(visitor, "minimized")
    expect(visitor.launcher).to_be_focused()
    alice.say("Welcome.")
    assert events_of(visitor, "message:received") == [started | {"seq": 2, "author": "agent"}]
    assert events_of(visitor, "unread", times=2) == [0, 1]

    stop = "window.stop = Causerie('on', 'opened', () => heard.push(['again', null]))"
    visitor.page.evaluate(f"{stop}; stop(); stop()")
    visitor.page.evaluate("Causerie('on', 'opened', () => { throw new Error('the page threw') })")
    crowd.expect_complaint("the page threw")
    visitor.page.evaluate("Causerie('open')")
    events_of(visitor, "opened", times=2)
    assert events_of(visitor, "unread", times=3)[-1] == 0
    visitor.sees("Welcome.")

    alice.act("Close")
    events_of(visitor, "conversation:ended")
    events_of(visitor, "survey:shown")
    visitor.frame.get_by_role("radio", name="Satisfied", exact=True).check(force=True)
    visitor.frame.get_by_role("button", name="Send feedback").click()
    assert events_of(visitor, "survey:answered") == [started | {"csat": 4, "nps": None}]
    assert visitor.page.evaluate("heard.filter(([name]) => name === 'again')") == []


def test_page_can_send_commands(crowd: Crowd, port: int, product: Product) -> None:
    """identify, logout, visitor, transaction, locale; an unknown command does no harm."""
    crowd.expect_complaint('there is no command "constructor"')
    shop = crowd.visitor()
    log_in(shop)
    token = shop.page.locator("body").get_attribute("data-identity")
    alice = crowd.agent("alice").log_in().be_available()
    visitor = new_visitor(crowd, port).visit("/")
    expect(visitor.launcher).to_be_visible()
    visitor.page.evaluate("token => Causerie('identify', token)", token)
    visitor.page.evaluate("Causerie('visitor', { cart: { total: 80 } })")
    visitor.open()
    visitor.agree()
    visitor.say("Good morning")
    alice.sees("Good morning")
    expect(alice.page.get_by_text("Jeanne Martin").first).to_be_visible()
    alice.say("Welcome.")
    visitor.sees("Welcome.")
    data = product.rows("SELECT data FROM conversations_profile")
    assert [row[0]["cart.total"] for row in data] == [80]  # type: ignore[index]

    with visitor.page.expect_response("**/transactions/"):
        visitor.page.evaluate(
            "Causerie('transaction', { id: 'A-1', amount: 79.9, currency: 'EUR' })"
        )
    sold = "SELECT external_id, amount::text, outcome FROM reporting_transaction"
    assert product.rows(sold) == [("A-1", "79.90", "attributed")]

    visitor.page.evaluate("Causerie('constructor')")
    visitor.page.evaluate("Causerie('locale', 'fr')")
    french = visitor.page.get_by_title("Discussion avec Maison Céleste").content_frame
    expect(french.get_by_label("Votre message")).to_be_visible()
    expect(french.get_by_text("Welcome.")).to_be_visible()

    french.get_by_label("Votre message").fill("half written")
    visitor.page.evaluate("Causerie('logout')")
    expect(french.get_by_text("Welcome.")).to_have_count(0)
    expect(french.get_by_role("button", name="J’accepte")).to_be_visible()
    expect(french.get_by_label("Votre message")).to_have_value("")
    assert "token" not in visitor.page.evaluate(STORED_NAMES)


def test_identity_waits_for_a_socket_that_is_opening(
    crowd: Crowd, port: int, product: Product
) -> None:
    """It would change the token under the socket's ticket, which would then be refused."""
    shop = crowd.visitor()
    log_in(shop)
    token = shop.page.locator("body").get_attribute("data-identity")
    visitor = new_visitor(crowd, port).visit("/")
    visitor.open()
    visitor.agree()
    visitor.say("Where is my order?")
    with product.connection() as connection, visitor.page.expect_response("**/identity/"):
        connection.execute("LOCK TABLE conversations_mirrorlook")  # No socket opens meanwhile.
        with visitor.page.expect_websocket():
            visitor.page.reload()
            visitor.page.evaluate("Causerie('open')")
        visitor.page.evaluate("token => Causerie('identify', token)", token)
        visitor.page.wait_for_timeout(700)
        connection.commit()
    visitor.sees("Where is my order?")
    known = "SELECT count(*) FROM conversations_visitor WHERE person_id IS NOT NULL"
    assert product.rows(known) == [(1,)]


@pytest.mark.parametrize("where", ["self !== top", "true"])
def test_conversation_works_without_browser_storage(crowd: Crowd, port: int, where: str) -> None:
    """In the iframe only (the page then stores our few values), or everywhere (until the page is
    left); without errors in the console."""
    alice = crowd.agent("alice").log_in().be_available()
    visitor = new_visitor(crowd, port)
    visitor.context.add_init_script(REFUSE % where)
    visitor.visit("/")
    visitor.open()
    visitor.agree()
    visitor.say("Good morning")
    alice.say("Welcome.")
    visitor.sees("Welcome.")
    visitor.reduce()
    visitor.open()
    visitor.sees("Welcome.")
    visitor.page.reload()
    visitor.open()
    if where == "true":
        expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
        return
    visitor.sees("Welcome.")
    assert "token" in visitor.page.evaluate(STORED_NAMES)


def test_navigation_in_an_application_keeps_the_conversation(crowd: Crowd, port: int) -> None:
    """Another address is another page view; the conversation is not affected."""
    visitor = new_visitor(crowd, port).visit("/")
    visitor.open()
    visitor.agree()
    visitor.say("Good morning")
    for change in ("history.pushState({}, '', '/two')", "location.hash = '#/three'"):
        with visitor.page.expect_response(re.compile("/engagement/")) as answer:
            visitor.page.evaluate(change)
        assert answer.value.request.post_data_json["url"] == visitor.page.url
    visitor.sees("Good morning")
    visitor.say("Still here")
    expect(visitor.bubble("Still here")).to_contain_text("Sent")


def test_on_screen_keyboard_covers_nothing(crowd: Crowd, port: int) -> None:
    """Browser test tools have no on-screen keyboard, so the test simulates the browser's events."""
    visitor = new_visitor(crowd, port, viewport=PHONE, is_mobile=True, has_touch=True)
    visitor.context.add_init_script(f"if (self === top) ({KEYBOARD})()")
    visitor.visit("/")
    visitor.open()
    visitor.agree()
    for number in range(12):
        visitor.say(f"Line number {number}.")
    panel = visitor.page.locator("causerie-messenger .panel")
    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}  # the full screen
    visitor.box.focus()
    visitor.page.evaluate("type(500, 60)")
    assert panel.bounding_box() == {"x": 0, "y": 60, "width": 390, "height": 500}
    box = visitor.box.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 560
    expect(visitor.bubble("number 11.")).to_be_in_viewport()
    visitor.page.evaluate("type(844)")
    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    visitor.reduce()
    expect(visitor.launcher).to_be_focused()


def test_layout_fits_at_200_percent_zoom(crowd: Crowd, port: int) -> None:
    """1280 x 800 at 200 %: no text is cut, nothing scrolls sideways, all controls can be reached
    (WCAG 2.2, 1.4.4 and 1.4.10)."""
    visitor = new_visitor(crowd, port, viewport={"width": 640, "height": 400}).visit("/")
    visitor.open()
    expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
    fits(visitor)
    visitor.frame.get_by_role("button", name="I accept").click()
    visitor.say("Good morning " * 30)
    fits(visitor)
    visitor.frame.get_by_role("button", name="Settings").click()
    last = visitor.frame.get_by_role("button", name="Withdraw my consent")
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    fits(visitor)
    visitor.frame.get_by_role("button", name="Close the settings").click()
    expect(visitor.box).to_be_in_viewport()


def fits(visitor: Visitor) -> None:
    """Check that no element is wider than its visible area or extends beyond a side."""
    wide = visitor.frame.locator("body").evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden, svg"))
          .filter((one) => {
            const { left, right } = one.getBoundingClientRect();
            return left < -1 || right > innerWidth + 1;
          })
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert wide == []


def test_layout_supports_right_to_left(crowd: Crowd, product: Product) -> None:
    """On an Arabic page the Messenger is on the side where lines end, with Arabic text aligned to
    its side."""
    alice = crowd.agent("alice").log_in().be_available()
    with brand.page(product.url, "demo", attributes='lang="ar" dir="rtl"') as port:
        # In French, the website's own language: the product has no Arabic.
        visitor = Visitor(crowd.context(), f"http://localhost:{port}", Language("fr")).visit("/")
        visitor.open()
        visitor.agree()
        launcher = visitor.launcher.bounding_box()
        panel = visitor.page.locator("causerie-messenger .panel").bounding_box()
        assert launcher is not None
        assert panel is not None
        assert launcher["x"] == panel["x"] < 100
        visitor.box.fill("مرحبا، هل المصباح متوفر؟")
        assert visitor.box.evaluate("box => box.matches(':dir(rtl)')")
        visitor.box.press("Enter")
        alice.sees("مرحبا، هل المصباح متوفر؟")
        alice.say("أهلا وسهلا بكم في متجرنا يوم السبت\nنعم")
        last = visitor.bubble("أهلا وسهلا").locator(".bubble")
        left, right = last.evaluate(LAST_LINE)
        assert right < left / 2  # the short second line is on the right
        fits(visitor)


def test_messenger_can_be_minimized_and_reopened_after_opening_offline(
    crowd: Crowd, port: int
) -> None:
    """In a train: the page has loaded, the Messenger does not; on a phone it would be a blank
    screen without a way out."""
    crowd.expect_complaint("ERR_INTERNET_DISCONNECTED|chrome-error|origin .'null'")
    visitor = new_visitor(crowd, port, viewport=PHONE, is_mobile=True, has_touch=True).visit("/")
    expect(visitor.launcher).to_be_visible()
    visitor.context.set_offline(True)
    visitor.launcher.click()
    expect(visitor.launcher).to_have_accessible_name("Minimise the chat")
    visitor.launcher.click()
    expect(visitor.launcher).to_have_accessible_name("Open the chat")
    visitor.context.set_offline(False)
    visitor.open()
    expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
    way_out = visitor.page.locator("causerie-messenger .launcher")
    expect(way_out).to_be_hidden()  # the Messenger has its own now
    visitor.reduce()
    expect(way_out).to_be_visible()


def test_file_email_and_survey_work_without_iframe_storage(crowd: Crowd, port: int) -> None:
    """The browser refuses the iframe all storage: a file, an address, consent, a survey."""
    alice, visitor = crowd.agent("alice").log_in().be_available(), new_visitor(crowd, port)
    visitor.visit("/")
    visitor.open()
    visitor.agree()
    visitor.say("Is this the lamp?")
    alice.sees("Is this the lamp?")
    attach(visitor, png("lampe.png", 80))
    visitor.frame.get_by_role("button", name="Send", exact=True).click()
    picture = visitor.log.get_by_role("img", name="lampe.png")
    expect(picture).to_have_js_property("naturalWidth", 80)
    is_drawn(alice.log.get_by_role("img", name="lampe.png"))

    # The invitation is folded while an agent is answering.
    form = visitor.frame.get_by_role("form", name="You do not need to wait here")
    expect(form).to_be_hidden()
    visitor.frame.get_by_role("button", name="Notify me by e-mail").click()
    form.get_by_label("Your e-mail address").fill("jeanne@example.com")
    form.get_by_role("button", name="Email me").click()
    expect(form).to_be_hidden()
    confirmation = visitor.frame.get_by_text("We will write to jeanne@example.com")
    expect(confirmation).to_be_visible()  # also while an agent is there
    visitor.frame.get_by_role("button", name="Settings").click()
    visitor.frame.get_by_role("button", name="Withdraw my consent").click()
    visitor.frame.get_by_role("button", name="Close the settings").click()
    visitor.frame.get_by_role("button", name="I accept").click()
    visitor.say("Once more")
    alice.sees("Once more")
    alice.say("It is.")
    visitor.sees("It is.")
    alice.act("Close")
    visitor.frame.get_by_role("radio", name="Satisfied", exact=True).check(force=True)
    visitor.frame.get_by_role("button", name="Send feedback").click()
    expect(visitor.frame.get_by_text("Thank you! Your feedback")).to_be_visible()
