"""Bad input and wrong moments: a clear answer, and nothing is lost."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import brand
from tests.browser.conftest import Crowd
from tests.browser.people import Visitor
from tests.browser.product import Product

# Beyond the field's own limit, as a program or an old browser might.
PASTE = """(box, text) => {
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def test_empty_messages_are_not_sent(crowd: Crowd) -> None:
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("Good morning")
    alice.sees("Good morning")
    for person, box in ((visitor, visitor.box), (alice, alice.reply)):
        box.fill("   \n ")
        box.press("Enter")
        box.fill("")
        box.press("Enter")
        assert person.texts() == ["Good morning"]
    expect(visitor.frame.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_long_message_is_returned_with_an_error(crowd: Crowd) -> None:
    crowd.expect_complaint("413")
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    alice.log_in().be_available()
    visitor.start("Good morning")
    alice.sees("Good morning")
    long = "long " * 5000
    for box, alert, shorter in (
        (visitor.box, visitor.frame.get_by_role("alert"), "short"),
        (alice.reply, alice.page.get_by_role("alert"), "brief"),
    ):
        box.evaluate(PASTE, long)
        box.press("Enter")
        expect(alert.filter(has_text="The limit is 4000.")).to_be_visible()
        assert box.input_value().strip() == long.strip()
        box.fill(shorter)
        box.press("Enter")
    alice.sees("short")
    visitor.sees("brief")
    assert sorted(alice.texts()) == sorted(visitor.texts()) == ["Good morning", "brief", "short"]


def test_page_with_a_strict_policy_can_embed_the_messenger(crowd: Crowd, product: Product) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    with brand.page(product.url, "demo") as port:
        visitor = Visitor(crowd.context(), f"http://localhost:{port}").visit("/")
        visitor.open()
        visitor.agree()
        visitor.say("from the brand's own page")
        alice.sees("from the brand's own page")
        alice.say("Welcome")
        visitor.sees("Welcome")
        visitor.page.reload()
        visitor.open()
        visitor.sees("Welcome")


def test_foreign_page_shows_only_a_console_message(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("no Messenger here|CORS policy|ERR_FAILED|403")
    with brand.page(product.url, "demo") as port:
        page = crowd.context().new_page()
        with page.expect_console_message(lambda message: "Causerie:" in message.text) as console:
            page.goto(f"http://foreign.localhost:{port}/")
        assert f'"foreign.localhost:{port}" is not one of its domains' in console.value.text
        assert page.locator("causerie-messenger, iframe").count() == 0
        ours = [line for line in crowd.complaints if line.startswith("Causerie:")]
        assert len(ours) == 1


def test_foreign_page_cannot_frame_the_messenger(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("frame-ancestors|ERR_BLOCKED_BY_RESPONSE")
    page = crowd.context().new_page()
    page.route(
        "http://foreign.localhost/",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<iframe src="{product.url}/messenger/demo/"></iframe>'
        ),
    )
    page.goto("http://foreign.localhost/")
    frame = page.frames[1]
    frame.wait_for_load_state()
    assert frame.url.startswith("chrome-error:")


def test_unknown_key_shows_only_a_console_message(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("no Messenger here|CORS policy|ERR_FAILED|404")
    with brand.page(product.url, "nobodys-key") as port:
        page = crowd.context().new_page()
        with page.expect_console_message(lambda message: "Causerie:" in message.text) as console:
            page.goto(f"http://localhost:{port}/")
        assert '"nobodys-key" is not the key of a website' in console.value.text
        assert page.locator("causerie-messenger, iframe").count() == 0


def test_full_queue_shows_an_error_and_keeps_the_text(crowd: Crowd, product: Product) -> None:
    crowd.expect_complaint("409")
    late = crowd.visitor().visit()
    late.open()
    late.agree()
    for name in ("one", "two", "three"):
        crowd.visitor().start(name)
    late.box.fill("Is there room?")
    late.box.press("Enter")
    expect(late.frame.get_by_role("alert").filter(has_text="queue is full")).to_be_visible()
    expect(late.box).to_have_value("Is there room?")
    never = crowd.visitor()
    never.visit_until_engaged(False)
    expect(never.launcher).to_be_hidden()


def test_nothing_is_stored_before_the_visitor_acts(crowd: Crowd, product: Product) -> None:
    with brand.page(product.url, "demo") as port:
        visitor = Visitor(crowd.context(), f"http://localhost:{port}").visit("/")
        visitor.open()
        expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
        state = visitor.context.storage_state()
        assert state["cookies"] == []
        assert state["origins"] == []


def test_click_before_scripts_load_takes_effect(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in()
    scripts = []
    alice.page.route("**/htmx.min.js", lambda route: scripts.append(route))
    alice.page.goto(f"{alice.url}/desk/", wait_until="commit")
    alice.status.click(no_wait_after=True)
    alice.page.unroute_all()
    expect(alice.status).to_contain_text("available 0/4")
    visitor = crowd.visitor()
    visitor.start("Good morning")
    alice.sees("Good morning")


def test_form_not_yet_processed_by_htmx_is_sent_once(crowd: Crowd) -> None:
    """Enter may be pressed between drawing a form and htmx's processing it: htmx sends it then, by
    its button, and the page stays."""
    alice = crowd.agent("alice").log_in()
    alice.page.evaluate(
        """() => {
          const form = document.createElement("form");
          form.setAttribute("hx-post", "/desk/panes/");
          form.setAttribute("hx-swap", "none");
          form.innerHTML = '<button name="panes" value="1">One of them</button>';
          document.getElementById("main").append(form);
          form.firstChild.focus();
          window.isThisPage = true;
        }"""
    )
    with alice.page.expect_response("**/desk/panes/") as answer:
        alice.page.keyboard.press("Enter")
    assert answer.value.request.post_data == "panes=1"
    assert answer.value.request.headers["hx-request"] == "true"
    assert alice.page.evaluate("window.isThisPage")
