"""Refused actions at the desk show a helpful message and keep the typed text."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import FilePayload, WebSocketRoute, expect

from tests.browser.conftest import Crowd
from tests.browser.product import Product
from tests.browser.test_lines import in_conversation

LOST = "UPDATE routing_deskconnection SET heard_at = now() - interval '2 minutes' RETURNING 1"


def test_released_conversation_cannot_be_closed_from_an_outdated_desk(
    crowd: Crowd, product: Product
) -> None:
    crowd.expect_complaint("409|ERR_FAILED|422")
    alice, visitor = crowd.agent("alice"), crowd.visitor()
    deaf: list[bool] = []

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: None if deaf else socket.send(frame))

    alice.page.route_web_socket("**/ws/desk/", pass_on)
    alice.log_in().be_available()
    visitor.start("Where is my lamp?")
    alice.sees("Where is my lamp?")
    alice.status.click()
    expect(alice.status).to_have_attribute("aria-pressed", "false")
    alice.page.route("**/draft/", lambda route: route.abort())
    alice.reply.fill("half an answer")  # only her browser has it

    # Her desk receives nothing any more, and has not noticed yet.
    deaf.append(True)
    number = alice.page.url.split("/")[-2]
    manager = crowd.agent("manager").log_in("/reports/production/")
    release = manager.page.get_by_role("button", name="Release")
    waits = manager.page.get_by_text("Waiting in the queue of")
    for _beat in range(5):  # between two heartbeats
        product.rows(LOST)
        manager.page.goto(f"{product.url}/desk/c/{number}/")
        expect(release.or_(waits)).to_be_visible()
        if waits.is_visible():  # released by the last click, which took its time
            break
        if release.is_enabled():
            release.click()
            with suppress(AssertionError):  # a heartbeat came in between, so it was refused
                expect(waits).to_be_visible(timeout=3000)
                break
    expect(waits).to_be_visible()

    expect(alice.reply).to_have_value("half an answer")
    alice.act("Close")
    alice.page.get_by_role("button", name="Close without sending").click()
    alert = alice.page.get_by_role("alert").filter(
        has_text="has changed in the meantime. It is now: waiting."
    )
    expect(alert).to_contain_text("Nothing was changed.")
    expect(alice.page.get_by_text("Waiting in the queue of")).to_be_visible()
    expect(alice.reply).to_be_hidden()
    unsent_draft = alice.page.get_by_text("Your unsent draft:").locator("..")
    expect(unsent_draft).to_contain_text("half an answer")
    expect(visitor.frame.locator("#survey")).to_be_hidden()

    # The conversation comes back to her, and so does her draft.
    deaf.clear()
    alice.page.reload()
    expect(unsent_draft).to_contain_text("half an answer")
    alice.be_available()
    expect(alice.reply).to_have_value("half an answer")


def test_refused_file_leaves_the_reply_unchanged(crowd: Crowd, tmp_path: Path) -> None:
    crowd.expect_complaint("415")
    visitor, alice = in_conversation(crowd)
    alice.reply.fill("Here is the program:")
    program = FilePayload(name="setup.exe", mimeType="image/png", buffer=b"MZ" + bytes(500))
    large = tmp_path / "film.png"
    large.write_bytes(bytes(11 * 2**20))
    alice.page.locator("[data-files]").set_input_files([program])
    alice.page.locator("[data-files]").set_input_files([large])
    expect(alice.page.get_by_text("This file type is not accepted.")).to_be_visible()
    expect(alice.page.get_by_text("This file is too large. The limit is 10 MB.")).to_be_visible()
    expect(alice.reply).to_have_value("Here is the program:")
    for name in ("setup.exe", "film.png"):
        alice.page.get_by_role("button", name=f"Remove {name}").click()
    alice.reply.press("Enter")
    visitor.sees("Here is the program:")
    assert alice.texts() == ["first", "Here is the program:"]


def test_snooze_into_the_past_shows_an_error_in_the_dialog(crowd: Crowd) -> None:
    crowd.expect_complaint("422")
    _visitor, alice = in_conversation(crowd)
    alice.reply.fill("half an answer")
    alice.act("Snooze")
    dialog = alice.page.get_by_role("dialog")
    dialog.get_by_text("Custom", exact=True).click()
    until = dialog.get_by_role("textbox", name="Until")
    until.fill("2024-02-29T09:00")
    dialog.get_by_label("Keep the conversation").check()
    dialog.get_by_role("button", name="Snooze until").click()
    expect(dialog.get_by_role("alert")).to_have_text("This time has passed. Choose a later one.")
    expect(until).to_have_value("2024-02-29T09:00")
    expect(until).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Keep the conversation")).to_be_checked()
    dialog.get_by_role("button", name="Cancel").first.click()
    expect(alice.boxes).to_have_count(1)
    expect(alice.reply).to_have_value("half an answer")


def test_block_without_a_reason_shows_an_error_and_keeps_the_term(crowd: Crowd) -> None:
    crowd.expect_complaint("422")
    _visitor, alice = in_conversation(crowd)
    alice.act("Block")
    dialog = alice.page.get_by_role("dialog")
    dialog.get_by_text("30 days", exact=True).click()
    dialog.get_by_role("button", name="Block and close").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Enter a reason.")
    expect(dialog.get_by_label("30 days")).to_be_checked()
    dialog.get_by_label("Reason").fill("insults")
    dialog.get_by_role("button", name="Block and close").click()
    expect(alice.boxes).to_have_count(0)
