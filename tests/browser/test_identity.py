"""A customer is recognized in two browsers, hides their history, withdraws consent and logs out."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Visitor
from tests.browser.product import Product


def log_in(visitor: Visitor) -> None:
    """Log in on the brand's site, whose server signs the identity."""
    visitor.visit("/demo/account/")
    visitor.page.get_by_role("button", name="Jeanne Martin").click()
    expect(visitor.page.get_by_role("heading", name="Hello, Jeanne Martin")).to_be_visible()


def stored_token(page: Page) -> str:
    """Return what the Messenger stores in this browser."""
    frame = next(frame for frame in page.frames if "/messenger/" in frame.url)
    return str(frame.evaluate("JSON.stringify(Object.entries(localStorage))"))


def test_customer_choices_apply_to_all_browsers(crowd: Crowd) -> None:
    first = crowd.visitor()
    log_in(first)
    first.open()
    first.agree()
    first.say("Where is my order?")
    first.frame.get_by_text("You are next in line.").wait_for()

    second = crowd.visitor(viewport={"width": 390, "height": 844})
    log_in(second)
    assert "token" not in str(second.page.evaluate("JSON.stringify(localStorage)"))
    second.open()
    second.sees("Where is my order?")  # without a new request for consent
    expect(second.frame.get_by_role("button", name="I accept")).to_be_hidden()
    second.say("And on the phone")
    first.sees("And on the phone")

    second.frame.get_by_role("button", name="Settings").click()
    with second.page.expect_download() as copy:
        second.frame.get_by_role("button", name="Download my data").click()
    assert copy.value.suggested_filename == "Maison Céleste.json"
    assert "And on the phone" in copy.value.path().read_text()
    hide = second.frame.get_by_role("switch", name="Hide my history")
    first.box.fill("half a sentence")
    hide.check()
    for browser in (second, first):
        # At once: the repair of a lost push would come later than this timeout.
        hidden = browser.log.get_by_text("Where is my order?")
        expect(hidden).to_have_count(0, timeout=10_000)
    expect(first.box).to_have_value("half a sentence")
    hide.uncheck()
    for browser in (second, first):
        expect(browser.bubble("Where is my order?")).to_be_visible(timeout=10_000)
    second.frame.get_by_role("button", name="Withdraw my consent").click()
    expect(second.frame.get_by_text("accept again below the conversation")).to_be_visible()
    second.frame.get_by_role("button", name="Close the settings").click()
    second.box.fill("Once more")
    second.box.press("Enter")
    expect(second.frame.get_by_text("Please accept first. Your message is saved.")).to_be_visible()
    second.frame.get_by_role("button", name="I accept").click()
    second.sees("Once more")

    assert "token" in stored_token(second.page)
    second.page.evaluate("Causerie('logout')")
    expect(second.log.get_by_text("Once more")).to_have_count(0)
    expect(second.frame.get_by_role("button", name="I accept")).to_be_visible()
    assert "token" not in stored_token(second.page)


def test_customer_is_recognized_after_consenting_before_the_response(
    crowd: Crowd, product: Product
) -> None:
    """On a slow line the button appears long before the customer's identity is known."""
    visitor, questions = crowd.visitor(), []
    visitor.page.route("**/identity/", lambda route: questions.append(route))
    log_in(visitor)
    with visitor.page.expect_request("**/identity/"):
        visitor.open()
    with visitor.page.expect_request("**/visitors/") as welcome:
        visitor.frame.get_by_role("button", name="I accept").click()
        questions[0].continue_()
    assert welcome.value.post_data_json["identity"]
    visitor.say("Where is my order?")
    visitor.frame.get_by_text("You are next in line.").wait_for()
    whose = product.rows("SELECT name FROM conversations_visitor WHERE person_id IS NOT NULL")
    assert whose == [("Jeanne Martin",)]


def test_login_overrides_a_pending_logout(crowd: Crowd) -> None:
    """The page without a customer was left before its Messenger could hear of the logout."""
    visitor = crowd.visitor()
    visitor.start("Where is my order?")
    page, held = visitor.page, list[Route]()
    page.route("**/messenger.js?*", lambda route: held.append(route))
    visitor.visit("/demo/account/")
    page.wait_for_function("Object.keys(localStorage).some((key) => key.endsWith(':logout'))")
    with page.expect_response("**/identity/") as answer:
        page.get_by_role("button", name="Jeanne Martin").click()
        expect(page.get_by_role("heading", name="Hello, Jeanne Martin")).to_be_visible()
        while len(held) < 2:  # that of the page before, and this one
            page.wait_for_function("() => true")
        held[-1].continue_()
    assert answer.value.ok
    visitor.open()
    visitor.sees("Where is my order?")


def test_logout_discards_pending_identification(crowd: Crowd) -> None:
    """Neither a late answer nor a question that waits for it may follow the customer's logout."""
    visitor = crowd.visitor()
    log_in(visitor)
    visitor.open()
    visitor.agree()
    visitor.say("Where is my order?")
    visitor.frame.get_by_text("You are next in line.").wait_for()
    page, asked, held = visitor.page, list[str](), list[Route]()
    page.route("**/identity/", lambda route: held.append(route))
    with page.expect_request("**/identity/"):
        page.reload()
    visitor.open()
    visitor.sees("Where is my order?")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("dispatchEvent(new Event('online'))")
    frame = next(frame for frame in page.frames if "/messenger/" in frame.url)
    frame.evaluate("dispatchEvent(new Event('online'))")  # It fetches what it may have missed.
    with page.expect_response("**/logout/"):
        page.evaluate("Causerie('logout')")
    expect(visitor.log.get_by_text("Where is my order?")).to_have_count(0)
    expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
    assert "token" not in stored_token(page)
    assert not [url for url in asked if "/messages/" in url or "/identity/" in url]


def test_an_invalid_token_is_reported_on_the_console_only(crowd: Crowd) -> None:
    crowd.expect_complaint("Causerie: identify: The identity token is not a readable JWT")
    crowd.expect_complaint("401")
    visitor = crowd.visitor().visit()
    visitor.page.evaluate("Causerie('identify', 'a.b.c')")
    with visitor.page.expect_console_message(lambda message: "not a readable JWT" in message.text):
        visitor.open()
    visitor.agree()
    visitor.say("Still here")
