"""After a lively hour the desk shows what a fresh load shows; late responses change nothing."""

from __future__ import annotations

import re

from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent

# Everything that is read, except running clocks and the suggestions for the next answer.
VIEW = """() => ["#boxes", "#panes", "#toolbar", "#statuses", "#snoozed-count"].map((part) => {
  const copy = document.querySelector(part).cloneNode(true);
  copy.querySelectorAll("time, .suggestions, [hidden]").forEach((node) => node.remove());
  const states = [...copy.querySelectorAll(".box, .dot, .tick, .status, .dialogue")].map((node) =>
    [...node.classList].filter((name) => !["fresh", "far"].includes(name)).sort().join("."));
  return [copy.textContent.replace(/\\s+/g, " ").trim(), ...states];
})"""
WAIT_FOR_BOXES = """() => {
  window.drawn = new Promise((done) => document.addEventListener("htmx:afterSwap", ({ target }) =>
    target.id === "boxes" && setTimeout(done)));
}"""
# Record the conversations whose toolbar is ever shown, from now on.
WATCH_TOOLBAR = """() => {
  const toolbar = document.getElementById("toolbar");
  window.shown = new Set([toolbar.dataset.number]);
  new MutationObserver(() => window.shown.add(document.getElementById("toolbar").dataset.number))
    .observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-number"] });
}"""
NO_FIELD_SIZING = """
  const supports = CSS.supports.bind(CSS);
  CSS.supports = (name, ...value) => name !== "field-sizing" && supports(name, ...value);
  addEventListener("DOMContentLoaded", () => {
    const plain = new CSSStyleSheet();
    plain.replaceSync("textarea { field-sizing: fixed !important; }");
    document.adoptedStyleSheets.push(plain);
  });
"""


def view(page: Page) -> list[list[str]]:
    seen: list[list[str]] = page.evaluate(VIEW)
    return seen


def test_live_updates_match_a_fresh_load(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    one, two, three = (crowd.visitor() for _n in range(3))
    one.start("the first question")
    alice.sees("the first question")
    two.start("the second question")
    three.start("the third question")
    expect(alice.boxes).to_have_count(3)
    alice.say("Yes, in brass")
    one.sees("Yes, in brass")
    expect(alice.bubble("Yes, in brass")).to_contain_text("Read by the visitor")
    one.say("and thank you")
    alice.sees("and thank you")
    one.visit("/demo/account/")
    toolbar = alice.page.get_by_role("complementary", name="Visitor and actions")
    expect(toolbar.locator(".seen li")).to_have_count(2)
    alice.boxes.nth(1).click()
    alice.sees("the second question")
    alice.snooze(keep=False)
    expect(alice.page.get_by_role("link", name="Snoozed 1")).to_be_visible()
    two.say("I am back")  # to the queue, and so to Alice, who has a free slot
    expect(alice.boxes).to_have_count(3)
    alice.box(int(alice.boxes.nth(0).get_attribute("data-number") or 0)).click()
    alice.sees("and thank you")
    alice.choose("Note")
    alice.note.fill("a regular")
    alice.page.get_by_role("button", name="Save note").click()
    expect(alice.notes("regular")).to_be_visible()
    alice.choose("Reply")
    alice.status.click()
    expect(alice.status).to_have_attribute("aria-pressed", "false")

    again = Agent(alice.context, alice.url, "alice")
    again.page.goto(alice.page.url)
    again.sees("and thank you")
    expect(again.bubble("Yes, in brass")).to_contain_text("Read by the visitor")
    expect(alice.page.locator(".box.fresh")).to_have_count(0)
    assert view(alice.page) == view(again.page)


def test_late_toolbar_does_not_replace_another(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    first, second = crowd.visitor(), crowd.visitor()
    first.start("from the first")
    alice.sees("from the first")
    second.start("from the second")
    expect(alice.boxes).to_have_count(2)
    alice.page.get_by_role("button", name="Two conversations side by side").click()
    expect(alice.log).to_have_count(2)
    numbers = [alice.boxes.nth(n).get_attribute("data-number") or "" for n in range(2)]
    held: list[Route] = []
    alice.page.route(re.compile(f"/desk/c/{numbers[0]}/$"), lambda route: held.append(route))
    with alice.page.expect_request(re.compile(f"/desk/c/{numbers[0]}/$")):
        alice.boxes.nth(0).click()  # shown already: fetched again, with its toolbar
    alice.reply.nth(1).click()
    toolbar = alice.page.locator(f"#toolbar[data-number='{numbers[1]}']:not([inert])")
    expect(toolbar).to_be_visible()
    alice.page.evaluate(WATCH_TOOLBAR)
    with alice.page.expect_response(re.compile(f"/desk/c/{numbers[0]}/$")) as late:
        held[0].continue_()
    late.value.finished()
    first.say("and more")  # everything before it has been drawn by then
    alice.sees("and more")
    assert alice.page.evaluate("[...window.shown]") == [numbers[1]]
    alice.close_unanswered()
    expect(alice.boxes).to_have_count(1)
    expect(alice.box(int(numbers[0]))).to_be_visible()


def test_late_response_does_not_restore_outdated_boxes(crowd: Crowd) -> None:
    """The boxes were requested while the visitor was there, and arrive after they have left."""
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    visitor.start("Good morning")
    alice.sees("Good morning")
    mirror = alice.page.locator(".mirror")
    expect(mirror).to_contain_text("Cart · Maison Céleste")
    expect(mirror.get_by_role("link")).to_have_attribute("rel", re.compile("noopener"))
    visitor.visit("/demo/products/lune/")
    expect(mirror).to_contain_text("Lune · Maison Céleste")
    presence = alice.boxes.locator(".presence")
    expect(presence).to_have_text("on site")
    old: list[tuple[Route, APIResponse]] = []
    alice.page.route("**/desk/boxes/", lambda route: old.append((route, route.fetch())))
    alice.status.click()
    expect(alice.status).to_have_attribute("aria-pressed", "false")
    visitor.page.close()
    expect(presence).to_have_text("left")
    expect(mirror).to_have_text(re.compile("The visitor has left the site."))
    assert old, "nothing was asked for"
    alice.page.evaluate(WAIT_FOR_BOXES)
    for route, response in old:
        route.fulfill(response=response)
    alice.page.evaluate("() => window.drawn")
    assert presence.inner_text() == "left"  # at once: a later update would correct it


def test_reply_box_fits_its_text_without_field_sizing(crowd: Crowd) -> None:
    alice, visitor = crowd.agent("alice"), crowd.visitor()
    alice.context.add_init_script(NO_FIELD_SIZING)
    alice.log_in().be_available()
    visitor.start("Good morning")
    alice.sees("Good morning")
    height = "box => box.clientHeight"
    fits = "box => box.scrollHeight - box.clientHeight < 2"
    one_line = alice.reply.evaluate(height)
    alice.reply.fill("a text of some length, " * 8)
    wide = alice.reply.evaluate(height)
    assert wide > one_line
    assert alice.reply.evaluate(fits)
    alice.page.set_viewport_size({"width": 760, "height": 800})
    box = alice.reply.element_handle()
    alice.page.wait_for_function(
        f"([box, was]) => box.clientHeight > was && ({fits})(box)", arg=[box, wide]
    )
    alice.page.set_viewport_size({"width": 1280, "height": 800})
    alice.page.wait_for_function("([box, was]) => box.clientHeight === was", arg=[box, wide])
    alice.reply.fill("short")
    assert alice.reply.evaluate(height) == one_line


def test_a_change_during_a_refresh_of_the_boxes_triggers_another(crowd: Crowd) -> None:
    alice, visitors = crowd.agent("alice"), [crowd.visitor() for _ in "123"]
    with alice.page.expect_websocket(lambda socket: "/ws/desk/" in socket.url) as opened:
        alice.log_in()
    alice.be_available()
    visitors[0].start("one")
    alice.sees("one")
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    alice.page.route("**/desk/boxes/", hold)
    with alice.page.expect_request("**/desk/boxes/"):
        visitors[1].start("two")
    # Its frame has reached the desk, and waits behind the first response.
    with opened.value.expect_event("framereceived", lambda frame: '"changed"' in str(frame)):
        visitors[2].start("three")
    for route, answer in held:
        route.fulfill(response=answer)
    expect(alice.boxes).to_have_count(3)
