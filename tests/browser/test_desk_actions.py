"""Actions of an agent at the desk: by mouse, keyboard and touch."""

from __future__ import annotations

import re

from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def snoozed(page: Page, part: str) -> Locator:
    """Return the rows of one part of the snoozed tab."""
    return page.get_by_role("region", name=part).get_by_role("listitem")


def test_snooze_warns_once_and_updates_every_desk(crowd: Crowd) -> None:
    alice, bruno = crowd.agent("alice").log_in().be_available(), crowd.agent("bruno")
    bruno.log_in("/desk/snoozed/")
    for text in ("Do you ship to Lyon?", "And to Nice?"):
        crowd.visitor().start(text)
    expect(alice.boxes).to_have_count(2)

    dialog = alice.page.get_by_role("dialog")
    alice.act("Snooze")
    dialog.get_by_text("Custom", exact=True).click()
    dialog.get_by_role("button", name="Tomorrow 9:00").click()
    clock = dialog.get_by_role("button", name=re.compile("Snooze until .*09:00"))
    clock.click()
    expect(dialog.get_by_role("heading", name="will close automatically")).to_be_visible()
    dialog.get_by_role("button", name="Back").click()
    expect(clock).to_be_visible()
    clock.click()
    expect(dialog.get_by_label("Do not show this again")).to_be_checked()
    dialog.get_by_role("button", name="Snooze", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(alice.boxes).to_have_count(1)
    left = snoozed(bruno.page, "Returning to the team")
    expect(left).to_have_count(1)  # without a reload
    expect(left).to_contain_text("then closes")

    # The checkbox keeps its state on another device, and the warning is not repeated.
    alice.act("Snooze")
    dialog.get_by_label("Close it if the visitor").uncheck()
    alice.page.keyboard.press("Escape")
    phone = Agent(crowd.context(**PHONE), alice.url, "alice")
    phone.context.add_cookies(alice.context.cookies())
    phone.log_in()
    phone.boxes.click()
    phone.page.get_by_role("button", name="Visitor and actions").click()
    phone.act("Snooze")
    there = phone.page.get_by_role("dialog")
    expect(there.get_by_label("Close it if the visitor")).not_to_be_checked()
    there.get_by_label("Keep the conversation").check()
    there.get_by_role("button", name="Snooze until").click()
    expect(phone.boxes).to_have_count(0)
    expect(alice.page.get_by_role("link", name="Snoozed 2")).to_be_visible()
    expect(left).to_have_count(1)

    phone.page.goto(f"{phone.url}/desk/snoozed/")
    kept_list = snoozed(phone.page, "Kept by me")
    expect(kept_list).to_have_count(1)
    kept_list.get_by_role("button", name="Resume now").click()
    expect(phone.log).to_contain_text("?")
    left.get_by_role("button", name="Resume now").click()
    expect(left).to_have_count(0)
    expect(alice.boxes).to_have_count(2)


def test_logout_asks_about_each_conversation(crowd: Crowd) -> None:
    crowd.expect_complaint("409")
    alice, bruno = crowd.agent("alice").log_in().be_available(), crowd.agent("bruno").log_in()
    for text in ("one", "two", "three"):
        crowd.visitor().start(text)
    expect(alice.boxes).to_have_count(3)
    alice.page.get_by_label(re.compile("^Your account")).click()
    alice.page.get_by_role("button", name="Log out").click()
    dialog = alice.page.get_by_role("dialog", name="Before you log out")
    rows, leave = dialog.get_by_role("listitem"), dialog.get_by_role("button", name="Log out")
    expect(rows).to_have_count(3)
    expect(leave).to_be_disabled()
    expect(alice.status).to_contain_text("unavailable")

    rows.first.get_by_role("button", name="Close").click()
    alice.page.get_by_role("button", name="Close without an answer").click()
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="Snooze").click()
    alice.page.get_by_label("Close it if the visitor").uncheck()
    alice.page.get_by_role("button", name="Snooze until").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button", name="Transfer").click()
    expect(alice.page.get_by_role("heading", name="Transfer #")).to_be_visible()
    alice.page.get_by_role("button", name="Cancel").first.click()
    expect(rows).to_have_count(1)  # back on the list, and nothing was done
    rows.first.get_by_role("button", name="Transfer").click()
    alice.page.get_by_label("Note for the next agent").fill("She is in a hurry")
    alice.transfer("Bruno")
    expect(rows).to_have_count(0)
    leave.click()
    alice.page.wait_for_url("**/login/")

    bruno.be_available()
    expect(bruno.log).to_contain_text("She is in a hurry")


def test_late_response_does_not_change_another_conversations_form(crowd: Crowd) -> None:
    """On a slow line the socket reports a move long before the response arrives."""
    crowd.expect_complaint("409")  # the question what to do with them
    alice = crowd.agent("alice").log_in().be_available()
    for text in ("one", "two"):
        crowd.visitor().start(text)
    expect(alice.boxes).to_have_count(2)
    page, held = alice.page, list[tuple[Route, APIResponse]]()
    asked = list[str]()
    page.get_by_label(re.compile("^Your account")).click()
    page.get_by_role("button", name="Log out").click()
    rows = page.get_by_role("dialog").get_by_role("listitem")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="Close").click()
    certain = page.get_by_role("button", name="Close without an answer")
    expect(certain).to_be_visible()
    page.route("**/close/", lambda route: held.append((route, route.fetch())))
    with page.expect_request("**/close/"):
        certain.click()
    page.get_by_role("button", name="Cancel").first.click()  # the response is slow
    expect(rows).to_have_count(1)  # by the socket
    rows.first.get_by_role("button", name="Transfer").click()
    note = page.get_by_label("Note for the next agent")
    note.fill("She is in a hurry")
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response("**/desk/boxes/"):
        for route, answer in held:
            route.fulfill(response=answer)
    assert [url for url in asked if "/logout/" in url] == []
    expect(note).to_have_value("She is in a hurry")
    page.get_by_role("button", name="Cancel").first.click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Stay").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_button_acts_on_its_conversation_before_htmx_processes_it(crowd: Crowd) -> None:
    """Even if the machine is slow and htmx processes what it has drawn much later."""
    alice = crowd.agent("alice").log_in().be_available()
    first, second = crowd.visitor(), crowd.visitor()
    first.start("from the first")
    alice.sees("from the first")
    second.start("from the second")
    expect(alice.boxes).to_have_count(2)
    alice.page.get_by_role("button", name="Two conversations side by side").click()
    expect(alice.log).to_have_count(2)
    alice.reply.nth(1).click()
    numbers = [box.get_attribute("data-number") for box in alice.boxes.all()]
    toolbar = alice.page.locator("#toolbar:not([inert])")
    expect(toolbar).to_have_attribute("data-number", re.compile("|".join(map(str, numbers))))
    before = toolbar.get_attribute("data-number")
    alice.page.evaluate("htmx.config.defaultSettleDelay = 60_000")
    alice.reply.nth(0).click()
    expect(toolbar).not_to_have_attribute("data-number", str(before))
    shown = toolbar.get_attribute("data-number")
    with alice.page.expect_request(re.compile("/close/")) as asked:
        alice.act("Close")
    assert asked.value.url.endswith(f"/desk/c/{shown}/close/")


def test_conversations_side_by_side_have_separate_drafts(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    first, second = crowd.visitor(), crowd.visitor()
    first.start("from the first")
    alice.sees("from the first")
    second.start("from the second")
    expect(alice.boxes).to_have_count(2)
    alice.page.get_by_role("button", name="Two conversations side by side").click()
    logs, replies = alice.log, alice.reply
    expect(logs).to_have_count(2)
    expect(logs.nth(0)).to_contain_text("from the first")
    expect(logs.nth(1)).to_contain_text("from the second")
    expect(alice.page.locator(".box[aria-current]")).to_have_count(1)

    replies.nth(0).fill("to the first")
    replies.nth(1).fill("to the second, later")
    toolbar = alice.page.get_by_role("complementary", name="Visitor and actions")
    name = logs.nth(1).locator(".author").first.inner_text()
    expect(toolbar).to_contain_text(name)  # it follows the focus
    replies.nth(0).press("Enter")
    first.sees("to the first")
    first.say("thank you")
    second.say("hello?")
    expect(logs.nth(0)).to_contain_text("thank you")
    expect(logs.nth(1)).to_contain_text("hello?")
    expect(logs.nth(0)).not_to_contain_text("hello?")

    # Another device of the same account has the split and the draft.
    with alice.page.expect_response(re.compile("/draft/")):
        replies.nth(1).fill("to the second, now")
    elsewhere = Agent(crowd.context(), alice.url, "alice")
    elsewhere.context.add_cookies(alice.context.cookies())
    elsewhere.log_in()
    expect(elsewhere.log).to_have_count(2)
    drafts = [elsewhere.reply.nth(n) for n in range(2)]
    for draft in drafts:
        expect(draft).to_be_visible()
    assert sorted(draft.input_value() for draft in drafts) == ["", "to the second, now"]

    # A closed conversation makes room; the remaining one has the focus.
    replies.nth(0).click()
    alice.act("Close")
    expect(logs.filter(has_text="from the first")).to_have_count(0)
    expect(toolbar).to_contain_text(name)
    alice.page.get_by_role("button", name="One conversation").click()
    expect(logs).to_have_count(1)
    expect(alice.reply).to_have_value("to the second, now")
