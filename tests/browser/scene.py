"""A walk through most of the product's pages, for tests that look at each of them."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Frame, Locator, Page, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language

Sight = tuple[str, Page | Frame]


def walk(crowd: Crowd, translate: Language) -> Iterator[Sight]:
    """Yield each sight while it is on the screen."""
    url = crowd.product.url
    shop = crowd.context(locale=translate.locale).new_page()
    for path in ("products/lune/", "cart/", "account/", ""):
        shop.goto(f"{url}/demo/{path}")
        expect(shop.get_by_role("button", name=translate("Open the chat"))).to_be_visible()
        yield f"/demo/{path}", shop
    shop.get_by_role("button", name=translate("Open the chat")).click()
    title = translate("Chat with {brand}").replace("{brand}", "Maison Céleste")
    messenger = shop.get_by_title(title).content_frame
    expect(messenger.get_by_role("button", name=translate("I accept"))).to_be_visible()
    frame = next(frame for frame in shop.frames if "/messenger/" in frame.url)
    yield "the shop with the Messenger open", shop
    yield "the Messenger, before consent", frame
    messenger.get_by_role("button", name=translate("I accept")).click()
    write(messenger.get_by_label(translate("Your message")), "42 ?")
    expect(messenger.get_by_text(translate("You are next in line."))).to_be_visible()
    yield "the Messenger, in the queue", frame

    desk = crowd.context(locale=translate.locale).new_page()
    desk.goto(f"{url}/login/")
    yield "the login", desk
    log_in(desk, translate, "alice")
    expect(desk.get_by_text(translate("Your desk is clear"))).to_be_visible()
    yield "the desk, empty", desk
    desk.get_by_role("group", name=translate("Your availability")).get_by_role("button").click()
    write(desk.get_by_label(translate("Your reply")), "43 !")
    expect(messenger.get_by_text("43 !")).to_be_visible()
    yield "the desk with a conversation", desk
    yield "the Messenger, in conversation", frame
    actions = desk.get_by_role("region", name=translate("Actions"))
    for verb in ("Snooze", "Transfer"):
        actions.get_by_role("button", name=translate(verb)).click()
        dialog = desk.get_by_role("dialog")
        expect(dialog).to_be_visible()
        yield f"the dialog of {verb}", desk
        desk.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    desk.locator("summary").first.click()  # in the bar; the toolbar has others
    yield "the account's menu", desk
    actions.get_by_role("button", name=translate("Snooze")).click()
    desk.get_by_role("dialog").get_by_role("button", name=translate("Snooze")).click()
    expect(desk.get_by_label(translate("Do not show this again"))).to_be_checked()
    yield "the warning of the first snooze", desk
    desk.get_by_role("dialog").get_by_role("button", name=translate("Snooze")).click()
    expect(desk.get_by_role("dialog")).to_be_hidden()
    desk.goto(f"{url}/desk/snoozed/")
    yield "the snoozed tab", desk

    board = crowd.context(locale=translate.locale).new_page()
    board.goto(f"{url}/login/")
    log_in(board, translate, "manager")
    expect(board.get_by_text(translate("Live"), exact=True)).to_be_visible()
    yield "the board", board

    admin = crowd.context(locale=translate.locale).new_page()
    admin.goto(f"{url}/login/?next=/admin/")
    log_in(admin, translate, "admin")
    expect(
        admin.get_by_role("link", name=translate("distribution rules").capitalize()).first
    ).to_be_visible()
    yield "/admin/", admin
    admin.goto(f"{url}/admin/routing/distributionrule/1/change/")
    yield "/admin/ at a rule", admin

    write(messenger.get_by_label(translate("Your message")), "44 ?")
    desk.goto(f"{url}/desk/")
    # Not by the text alone: the box on the left shows it, too.
    expect(desk.get_by_role("log").get_by_text("44 ?")).to_be_visible()
    actions.get_by_role("button", name=translate("Close")).click()
    expect(messenger.get_by_role("button", name=translate("Send feedback"))).to_be_visible()
    yield "the survey", frame
    messenger.get_by_role("button", name=translate("No thanks")).click()
    expect(
        messenger.get_by_role("button", name=translate("Start a new conversation"))
    ).to_be_visible()
    yield "the Messenger, at the end", frame
    desk.goto(f"{url}/desk/c/999999/")
    yield "a page that does not exist", desk


def log_in(page: Page, translate: Language, name: str) -> None:
    page.get_by_label(translate("Username")).fill(name)
    page.get_by_label(translate("Password")).fill("demo")
    page.get_by_role("button", name=translate("Log in"), exact=True).click()


def write(box: Locator, text: str) -> None:
    box.fill(text)
    box.press("Enter")
