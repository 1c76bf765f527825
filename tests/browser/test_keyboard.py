"""A whole working session without a mouse, and alerts that come once however many tabs are open."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent
from tests.browser.test_every_page import inaccessible

# Record each notification requested in any tab in storage that all tabs share.
COUNT_NOTIFICATIONS = """
  const Shown = window.Notification;
  window.Notification = class extends Shown {
    static permission = "granted"; // a browser without a window has none to give
    constructor(title, options) {
      super(title, options);
      const told = JSON.parse(localStorage.getItem("shown") ?? "[]");
      localStorage.setItem("shown", JSON.stringify([...told, [title, options.body]]));
    }
  };"""
# And record each end of a tab's request for the lock that makes it the one to notify.
COUNT_ENDS = """
  const { request } = globalThis.LockManager?.prototype ?? {};
  if (request) LockManager.prototype.request = function (name, ...rest) {
    const asked = request.call(this, name, ...rest);
    if (name.startsWith("causerie.alerts.")) {
      asked.then(() => localStorage.setItem(`asked.${crypto.randomUUID()}`, ""));
    }
    return asked;
  };"""
ENDS = """(count) => Object.keys(localStorage)
  .filter((key) => key.startsWith("asked.")).length === count"""
SHOWN = """() => JSON.parse(localStorage.getItem("shown") ?? "[]")"""
FOCUSED = """() => (document.activeElement.getAttribute("aria-label")
  || document.activeElement.textContent).replace(/\\s+/g, " ").trim()"""


def command(page: Page, text: str) -> None:
    """Run a command from the palette, once no closing dialog takes its keys."""
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Type a command")
    expect(box).to_be_focused()
    page.keyboard.type(text)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(box).to_be_hidden()


def tab_to(page: Page, name: str) -> None:
    for _step in range(30):
        if re.search(name, page.evaluate(FOCUSED)):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab")


def test_desk_is_usable_by_keyboard_alone(crowd: Crowd) -> None:
    alice, first, second = crowd.agent("alice").log_in(), crowd.visitor(), crowd.visitor()
    page, keys = alice.page, alice.page.keyboard
    dialog = page.get_by_role("dialog")
    command(page, "become available")
    expect(alice.status).to_have_attribute("aria-pressed", "true")
    first.start("What is the delivery time?")
    expect(alice.reply).to_be_focused()

    # A suggestion, then a canned reply; typed letters are text, whatever shortcuts they are
    # elsewhere.
    suggested = page.get_by_role("group", name="Suggested replies")
    expect(suggested.get_by_role("button", name="Delivery time")).to_be_visible()
    assert inaccessible(page) == []
    command(page, "suggestion delivery")
    expect(alice.reply).to_have_value(re.compile("^We deliver within two working days"))
    keys.press("Enter")
    first.sees("We deliver within two working days")
    expect(suggested).to_be_hidden()
    keys.type("/hel")
    expect(page.get_by_role("option").first).to_contain_text("Hello")
    keys.press("Enter")
    expect(alice.reply).to_have_value(re.compile("^Hello, this is Alice"))
    keys.type(" jkcs?1é")
    expect(alice.reply).to_have_value(re.compile("help\\? jkcs\\?1é$"))
    keys.press("Enter")
    first.sees("this is Alice")

    # The list of shortcuts, by its own shortcut.
    keys.press("Escape")
    expect(alice.log).to_be_focused()
    keys.press("?")
    expect(dialog.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    assert inaccessible(page) == []
    keys.press("Escape")
    expect(dialog).to_be_hidden()

    # Snooze, keep, and wake.
    number = page.url.split("/")[-2]
    keys.press("s")
    expect(dialog.get_by_role("heading", name="Snooze #")).to_be_visible()
    keys.press("Tab")
    dialog.get_by_label("Keep the conversation").focus()
    keys.press("Space")
    tab_to(page, "^Snooze until")
    keys.press("Enter")
    expect(dialog.get_by_label("Do not show this again")).to_be_checked()
    tab_to(page, "^Snooze$")
    keys.press("Enter")
    expect(alice.boxes).to_have_count(0)
    command(page, number)
    expect(page.get_by_role("button", name="Resume now")).to_be_visible()
    keys.press("w")
    expect(alice.reply).to_be_visible()

    # The next conversation and back, also on a French keyboard's digit row; transfer; close.
    second.start("Do you engrave?")
    expect(alice.boxes).to_have_count(2)
    keys.press("Escape")
    keys.press("n")
    alice.sees("Do you engrave?")
    keys.press("Escape")
    french = {"key": "é", "code": "Digit2", "bubbles": True, "cancelable": True}
    page.evaluate(
        "(e) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', e))", french
    )
    expect(page.locator("#stage[data-panes='2'] .dialogue")).to_have_count(2)
    keys.press("1")
    expect(page.locator("#stage[data-panes='1'] .dialogue")).to_have_count(1)
    command(page, "transfer")
    expect(dialog.get_by_role("radio").first).to_be_focused()
    dialog.get_by_role("radio", name=re.compile("Bruno")).focus()
    keys.press("Space")
    expect(dialog.get_by_role("status")).to_contain_text("Bruno is not connected")
    tab_to(page, "^Transfer to Bruno")
    keys.press("Enter")
    expect(alice.boxes).to_have_count(1)
    expect(alice.box(int(number))).to_have_attribute("aria-current", "true")
    expect(alice.reply).to_be_focused()
    keys.press("Escape")
    keys.press("c")
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_focused()
    keys.press("Enter")
    expect(alice.boxes).to_have_count(0)


def test_single_key_shortcuts_can_be_turned_off(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in()
    alice.page.keyboard.press("?")
    alice.page.get_by_label("Use single-key shortcuts on this device").uncheck()
    alice.page.keyboard.press("Escape")
    alice.page.keyboard.press("?")
    expect(alice.page.get_by_role("dialog")).to_be_hidden()
    alice.page.keyboard.press("Control+k")
    expect(alice.page.get_by_role("dialog", name="Commands")).to_be_visible()


def switch_on(alice: Agent) -> None:
    alice.page.get_by_label(re.compile("^Your account")).click()
    alice.page.get_by_label("Desktop notification").check()
    alice.page.get_by_label("Sound").check()
    alice.page.keyboard.press("Escape")


def go_elsewhere(page: Page, alice: Agent) -> None:
    """Go to a page of the desk without conversations, and wait for its socket."""
    with page.expect_websocket() as socket:
        page.goto(f"{alice.url}/desk/replies/")
    socket.value.wait_for_event("framereceived")


def test_several_tabs_notify_of_a_message_once(crowd: Crowd) -> None:
    alice, visitor = crowd.agent("alice"), crowd.visitor()
    alice.context.add_init_script(COUNT_NOTIFICATIONS)
    alice.context.add_init_script(COUNT_ENDS)
    alice.context.grant_permissions(["notifications"])
    alice.log_in().be_available()
    visitor.start("One")
    alice.sees("One")
    desk, others = alice.page, [alice.context.new_page() for _n in range(3)]
    for page in others:
        go_elsewhere(page, alice)
    visitor.say("Nobody has asked for alerts")
    alice.sees("Nobody has asked for alerts")
    switch_on(alice)
    visitor.say("Seen where it is open")
    desk.wait_for_function(ENDS, arg=4)
    go_elsewhere(desk, alice)
    visitor.say("Nobody is looking")
    desk.wait_for_function(ENDS, arg=8)
    shown = desk.evaluate(SHOWN)
    assert [body for _title, body in shown] == ["Nobody is looking"]
