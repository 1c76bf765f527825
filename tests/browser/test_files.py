"""Files and pictures between a visitor and an agent: chosen, pasted, dropped, cut, refused."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent, Visitor
from tests.browser.test_lines import NO_LINE, in_conversation

PDF = FilePayload(name="Devis été.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7\n" * 500)
PASTE = """(form, bytes) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
  const how = { clipboardData: data, bubbles: true, cancelable: true };
  form.dispatchEvent(new ClipboardEvent("paste", how));
}"""
DROP = """(zone, bytes) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
  for (const type of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""


def photo(side: int = 900) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 80).save(buffer, "PNG")
    return buffer.getvalue()


def png(name: str, side: int = 900) -> FilePayload:
    return FilePayload(name=name, mimeType="image/png", buffer=photo(side))


def is_drawn(picture: Locator) -> None:
    """Check that the picture has loaded and does not show only its alternative text."""
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    picture.page.wait_for_function(
        "picture => picture.naturalWidth > 0", arg=picture.element_handle()
    )


def attach(person: Visitor | Agent, *files: FilePayload) -> None:
    where: Page | Locator = person.page
    if isinstance(person, Visitor):
        person.frame.locator("[data-files]").set_input_files(files)
    else:
        where.locator("[data-files]").set_input_files(files)


def test_a_picture_and_a_document_reach_the_other_side(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    attach(visitor, png("lampe.png"), PDF)
    expect(visitor.frame.get_by_role("button", name="Remove lampe.png")).to_be_visible()
    visitor.box.fill("It came like this:")
    visitor.frame.get_by_role("button", name="Send", exact=True).click()
    is_drawn(alice.log.get_by_role("img", name="lampe.png"))
    is_drawn(visitor.log.get_by_role("img", name="lampe.png"))
    alice.sees("It came like this:")
    with alice.page.expect_download() as fetched:
        alice.log.get_by_role("link", name="Devis été.pdf").click()
    assert fetched.value.suggested_filename == "Devis été.pdf"
    with visitor.page.expect_download() as saved:
        visitor.log.get_by_role("button", name="Devis été.pdf").click()
    assert saved.value.path().read_bytes() == PDF["buffer"]
    # And after a fresh load of both.
    alice.page.reload()
    visitor.page.reload()
    is_drawn(alice.log.get_by_role("img", name="lampe.png"))
    visitor.open()
    is_drawn(visitor.log.get_by_role("img", name="lampe.png"))


def test_agent_can_paste_and_drop_files(crowd: Crowd) -> None:
    visitor, alice = in_conversation(crowd)
    alice.page.locator(".composer").evaluate(PASTE, list(photo(60)))
    alice.page.locator(".dialogue").evaluate(DROP, list(photo(60)))
    for name in ("pasted.png", "dropped.png"):
        expect(alice.page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    alice.page.get_by_role("button", name="Send", exact=True).click()
    for name in ("pasted.png", "dropped.png"):
        is_drawn(visitor.log.get_by_role("img", name=name))
        is_drawn(alice.log.get_by_role("img", name=name))
    visitor.log.get_by_role("img", name="pasted.png").click()
    large = visitor.frame.get_by_role("dialog", name="Picture")
    is_drawn(large.get_by_role("img", name="pasted.png"))
    visitor.page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    expect(visitor.box).to_be_visible()  # Escape closed the picture, not the Messenger.


def test_refused_file_shows_the_reason_and_can_be_removed(crowd: Crowd) -> None:
    crowd.expect_complaint("415")
    visitor, alice = in_conversation(crowd)
    program = FilePayload(name="setup.exe", mimeType="image/png", buffer=b"MZ" + bytes(500))
    large = FilePayload(name="film.png", mimeType="image/png", buffer=bytes(11 * 2**20))
    attach(visitor, program, large)
    expect(visitor.frame.get_by_text("This file type is not accepted.")).to_be_visible()
    expect(visitor.frame.get_by_text("This file is too large. The limit is 10 MB.")).to_be_visible()
    visitor.box.fill("then by words")
    visitor.frame.get_by_role("button", name="Send", exact=True).click()
    alice.sees("then by words")
    for name in ("setup.exe", "film.png"):
        visitor.frame.get_by_role("button", name=f"Remove {name}").click()
    expect(visitor.frame.get_by_role("button", name="Remove")).to_have_count(0)
    assert alice.texts() == ["first", "then by words"]


def test_interrupted_upload_can_be_retried(crowd: Crowd) -> None:
    crowd.expect_complaint(NO_LINE)
    visitor, alice = in_conversation(crowd)
    visitor.context.set_offline(True)
    attach(visitor, png("tunnel.png"))
    expect(visitor.frame.get_by_text("The file could not be uploaded.")).to_be_visible()
    visitor.context.set_offline(False)
    visitor.frame.get_by_role("button", name="Try again").click()
    visitor.frame.get_by_role("button", name="Send", exact=True).click()
    is_drawn(alice.log.get_by_role("img", name="tunnel.png"))
    expect(alice.log.get_by_role("img")).to_have_count(1)


def test_file_can_start_a_conversation(crowd: Crowd) -> None:
    """A file chosen before consent waits for it; with text, and alone."""
    alice = crowd.agent("alice").log_in().be_available()
    visitor = crowd.visitor().visit()
    visitor.open()
    attach(visitor, png("lampe.png", 80))
    expect(visitor.frame.get_by_text("Will be uploaded after you accept")).to_be_visible()
    send = visitor.frame.get_by_role("button", name="Send", exact=True)
    send.click()
    expect(visitor.frame.get_by_text("Please accept first. Your message is saved.")).to_be_visible()
    visitor.frame.get_by_role("button", name="I accept").click()
    is_drawn(visitor.log.get_by_role("img", name="lampe.png"))
    is_drawn(alice.log.get_by_role("img", name="lampe.png"))

    second = crowd.visitor().visit()
    second.open()
    second.agree()
    attach(second, PDF)
    second.box.fill("This is the quote:")
    send = second.frame.get_by_role("button", name="Send", exact=True)
    send.click()
    second.sees("This is the quote:")
    expect(second.log.get_by_role("button", name="Devis été.pdf")).to_be_visible()
