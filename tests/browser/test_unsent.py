"""Unsent text is not dropped silently; actions can be undone (C71, C72)."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent


def test_draft_can_be_sent_while_closing(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    visitor.start("How wide is the lamp?")
    alice.sees("How wide is the lamp?")
    alice.reply.fill("Thirty centimetres.")
    dialog = alice.page.get_by_role("dialog")

    # By its key, and cancelled: nothing is done.
    alice.page.keyboard.press("Escape")
    alice.page.keyboard.press("c")
    alice.page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Thirty centimetres.")
    expect(dialog.get_by_role("button", name="Send and close")).to_be_focused()
    alice.page.keyboard.press("Escape")
    expect(alice.reply).to_have_value("Thirty centimetres.")

    alice.act("Close")
    dialog.get_by_role("button", name="Send and close").click()
    visitor.sees("Thirty centimetres.")
    expect(visitor.frame.get_by_role("button", name="Send feedback")).to_be_visible()
    expect(alice.page.get_by_role("status").filter(has_text="is closed.")).to_be_visible()
    expect(alice.boxes).to_have_count(0)


def test_snooze_can_send_an_attached_file_first(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    visitor.start("Have you a plan of it?")
    alice.sees("Have you a plan of it?")
    plan = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"30 x 30"}
    alice.page.locator("[data-files]").set_input_files(plan)
    alice.reply.fill("Here it is.")
    alice.act("Snooze")
    dialog = alice.page.get_by_role("dialog")
    expect(dialog).to_contain_text("plan.txt")
    expect(dialog.get_by_label("Send to the visitor first")).to_be_checked()
    dialog.get_by_label("Keep the conversation").check()
    status = dialog.get_by_role("status")
    expect(status).to_contain_text("although you keep it")
    dialog.get_by_label("Close it if the visitor").uncheck()
    expect(status).to_contain_text(
        re.compile(r"It returns to you at the end \(.+\) or as soon as the visitor replies\.")
    )
    dialog.get_by_role("button", name="Send and snooze until").click()
    visitor.sees("Here it is.")
    visitor.sees("plan.txt")
    expect(alice.boxes).to_have_count(0)


def test_closing_asks_about_a_draft_from_another_device(crowd: Crowd) -> None:
    crowd.expect_complaint("409")  # the question what to do with the conversation
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor()
    visitor.start("Do you ship to Lyon?")
    alice.sees("Do you ship to Lyon?")
    with alice.page.expect_response(re.compile("/draft/")):
        alice.reply.fill("We do, within two days.")
    phone = Agent(crowd.context(), alice.url, "alice")
    phone.context.add_cookies(alice.context.cookies())
    phone.log_in("/desk/snoozed/")
    phone.page.get_by_label(re.compile("^Your account")).click()
    phone.page.get_by_role("button", name="Log out").click()
    rows = phone.page.get_by_role("dialog").get_by_role("listitem")
    rows.first.get_by_role("button", name="Close").click()
    expect(phone.page.get_by_role("dialog")).to_contain_text("We do, within two days.")
    phone.page.get_by_role("button", name="Send and close").click()
    visitor.sees("We do, within two days.")
    expect(phone.page.get_by_role("dialog")).to_contain_text("Nothing is left on your desk.")


def test_transfer_opens_the_longest_waiting_and_can_be_undone(
    crowd: Crowd,
) -> None:
    # What the page asks about a conversation may arrive after its transfer, when Alice no longer
    # sees it.
    crowd.expect_complaint(r"\b404\b.*/desk/c/\d+/suggestions/")
    alice = crowd.agent("alice").log_in().be_available()
    for text in ("from the first", "from the second", "from the third"):
        crowd.visitor().start(text)
    expect(alice.boxes).to_have_count(3)
    alice.boxes.nth(1).click()
    alice.sees("from the second")
    alice.act("Transfer")
    dialog = alice.page.get_by_role("dialog")
    expect(dialog.get_by_role("radio").first).to_be_focused()
    experts = dialog.get_by_role("radio", name=re.compile("Experts"))
    experts.check()
    expect(dialog.get_by_role("status")).to_contain_text("No one is free.")
    dialog.get_by_role("button", name="Transfer to Experts").click()
    expect(alice.boxes).to_have_count(2)
    alice.sees("from the first")
    notice = alice.page.get_by_role("status").filter(has_text="is waiting in the queue of Experts")
    expect(notice.get_by_role("button", name="Undo")).to_be_visible()
    alice.page.keyboard.press("Escape")
    alice.page.keyboard.press("z")
    expect(alice.boxes).to_have_count(3)
    alice.sees("from the second")


class Connection:
    """The desk's socket; frames that arrive while it ``is_held`` do not reach the page."""

    def __init__(self, page: Page) -> None:
        self.is_held = False
        page.route_web_socket(re.compile("/ws/desk/"), self._join)

    def _join(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: self.is_held or socket.send(frame))


def test_conversation_with_an_unseen_message_is_not_closed(
    crowd: Crowd,
) -> None:
    """C81: it arrives between the last look and the click."""
    crowd.expect_complaint("409")
    alice, visitor = crowd.agent("alice"), crowd.visitor()
    line = Connection(alice.page)
    alice.log_in().be_available()
    visitor.start("Is the lamp in stock?")
    alice.sees("Is the lamp in stock?")
    alice.say("Yes, it is.")
    line.is_held = True
    visitor.say("Then I take two")
    alice.act("Close")
    alert = alice.page.get_by_role("alert").filter(has_text="The visitor has just written")
    expect(alert).to_contain_text("Read the message before you close the conversation.")
    alice.sees("Then I take two")
    assert status_of(crowd) == "active"
    line.is_held = False
    alice.act("Close")
    expect(alice.boxes).to_have_count(0)
    assert status_of(crowd) == "closed"


def test_message_arriving_behind_a_dialog_prevents_closing(crowd: Crowd) -> None:
    crowd.expect_complaint("409")
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    visitor.start("Is the lamp in stock?")
    alice.sees("Is the lamp in stock?")
    dialog = alice.page.get_by_role("dialog")
    alice.act("Close")
    expect(dialog).to_be_visible()
    visitor.say("The brass one")
    alice.sees("The brass one")
    dialog.get_by_role("button", name="Close without an answer").click()
    expect(dialog).to_be_hidden()
    expect(alice.page.get_by_role("alert").filter(has_text="has just written")).to_be_visible()
    assert status_of(crowd) == "active"
    alice.close_unanswered()
    expect(alice.boxes).to_have_count(0)
    assert status_of(crowd) == "closed"


def test_snooze_works_before_the_messages_have_loaded(crowd: Crowd) -> None:
    """On a slow line the page does not know yet what was said; the server does."""
    alice, visitor = crowd.agent("alice").log_in().be_available(), crowd.visitor()
    visitor.start("Is the lamp in stock?")
    alice.sees("Is the lamp in stock?")
    held = list[Route]()
    alice.page.route("**/messages/?after_seq=0", lambda route: held.append(route))
    alice.page.reload()
    alice.act("Snooze")
    dialog = alice.page.get_by_role("dialog")
    dialog.get_by_label("Close it if the visitor").uncheck()
    dialog.get_by_role("button", name="Snooze until").click()
    expect(alice.boxes).to_have_count(0)
    assert held, "the messages came before the dialog"
    assert status_of(crowd) == "snoozed"


def status_of(crowd: Crowd) -> object:
    [(status,)] = crowd.product.rows("SELECT status FROM conversations_conversation")
    return status
