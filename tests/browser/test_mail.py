"""An absent visitor gets an e-mail, returns by its link elsewhere, and answers by e-mail."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent, Visitor
from tests.browser.product import ROOT, Product

ADDRESS = "jeanne@example.org"
NUDGE = """
import time
from django.core.cache import cache
from django.db.models.functions import Now
from conversations.models import Conversation
from messenger.tasks import write_to_visitors
waiting = Conversation.objects.exclude(notify_at=None)
for _ in range(20):
    cache.delete_many([f"sighting:{one.visitor_id}" for one in waiting])
    waiting.update(notify_at=Now())
    if write_to_visitors():
        break
    time.sleep(0.5)
"""


def write_now(product: Product) -> None:
    """Do what a worker does at beat's next tick, a minute after the answer and the visitor's
    leaving."""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", NUDGE],
        cwd=ROOT,
        env=product.variables() | {"MAIL_DELAY_SECONDS": "0", "MAIL_INTERVAL_SECONDS": "0"},
        check=True,
        timeout=60,
    )


def forget_mails(product: Product) -> None:
    for file in (product.var / "mail").glob("*.eml"):
        file.unlink()


def newest_mail(crowd: Crowd) -> Page:
    page = crowd.context().new_page()
    page.goto(f"{crowd.product.url}/demo/mail/")
    page.get_by_role("main").get_by_role("listitem").first.get_by_role("link").click()
    return page


def link_of(mail: Page) -> str:
    """Return the target of the mail's only button."""
    frame = mail.get_by_title("The e-mail as displayed").content_frame
    button = frame.get_by_role("link", name="Continue the conversation").or_(
        frame.get_by_role("link", name="Read it and share your opinion")
    )
    href = button.get_attribute("href")
    assert href is not None
    return href


def leave_address(visitor: Visitor) -> None:
    """Answer the invitation after the first message (C9), with a typing error first."""
    form = visitor.frame.get_by_role("form", name="You do not need to wait here")
    box = form.get_by_label("Your e-mail address")
    box.fill("jeanne@example")
    form.get_by_role("button", name="Email me").click()
    expect(form.get_by_role("alert")).to_contain_text("does not look like an e-mail address")
    expect(box).to_have_value("jeanne@example")
    box.fill(ADDRESS)
    box.press("Enter")
    expect(form).to_be_hidden()
    expect(visitor.frame.get_by_text(f"We will write to {ADDRESS}")).to_be_visible()


def test_a_visitor_who_left_gets_an_email_and_returns(crowd: Crowd, product: Product) -> None:
    forget_mails(product)
    crowd.expect_complaint(r"status of 400 .*/email/")
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    visitor.start("Is it oak?")
    leave_address(visitor)
    visitor.page.close()
    answer(alice, "It is oak.")
    write_now(product)

    mail = newest_mail(crowd)
    expect(mail.get_by_role("heading", name="Alice from Maison Céleste")).to_be_visible()
    link = link_of(mail)

    # Another device, which knows nothing, shows that conversation and nothing else.
    other = crowd.visitor()
    other.page.goto(link)
    expect(other.page).to_have_url(f"{product.url}/demo/cart/")
    other.sees("It is oak.")
    expect(other.frame.get_by_role("button", name="Settings")).to_be_hidden()
    other.say("Thank you, from my phone")
    alice.sees("Thank you, from my phone")

    # The answer by e-mail.
    mail.get_by_label("Reply to this e-mail").fill("And the foot?")
    mail.get_by_role("button", name="Send reply").click()
    expect(mail.get_by_text("Added to the conversation")).to_be_visible()
    alice.sees("And the foot?")
    other.sees("And the foot?")

    # Closed: the same link shows the survey (R22); on the first device nothing has changed (R15).
    alice.act("Close")
    expect(other.frame.get_by_role("button", name="Send feedback")).to_be_visible()
    again = crowd.visitor()
    again.page.goto(link)
    expect(again.frame.get_by_role("button", name="Send feedback")).to_be_visible()
    again.frame.get_by_role("button", name="No thanks").click()
    again.frame.get_by_role("button", name="Start a new conversation").click()
    expect(again.frame.get_by_role("button", name="I accept")).to_be_visible()


def test_email_address_can_be_changed_turned_off_and_deleted(crowd: Crowd) -> None:
    """R23-R25."""
    crowd.expect_complaint(r"status of 400 .*/email/")
    visitor = crowd.visitor(viewport={"width": 390, "height": 844})
    visitor.start("Is it oak?")
    leave_address(visitor)
    frame = visitor.frame
    frame.get_by_role("button", name="Edit").click()
    sheet = frame.get_by_role("dialog", name="Settings")
    box = sheet.get_by_label("Your e-mail address")
    expect(box).to_have_value(ADDRESS)
    box.fill("new@example.org")
    sheet.get_by_role("button", name="Save the address").click()
    expect(sheet.get_by_text("Saved.")).to_be_visible()
    sheet.get_by_role("switch", name="Notify me by e-mail").uncheck()
    visitor.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(frame.get_by_text("E-mails to new@example.org are turned off.")).to_be_visible()

    visitor.page.reload()
    visitor.open()
    frame.get_by_role("button", name="Settings").click()
    expect(sheet.get_by_role("switch", name="Notify me by e-mail")).not_to_be_checked()
    sheet.get_by_role("button", name="Delete my address").click()
    expect(sheet.get_by_text("Your address has been deleted.")).to_be_visible()
    sheet.get_by_role("button", name="Close the settings").click()
    expect(frame.get_by_role("form", name="You do not need to wait here")).to_be_visible()
    frame.get_by_role("button", name="No thanks").click()
    expect(frame.get_by_role("form", name="You do not need to wait here")).to_be_hidden()


def test_one_click_unsubscribes(crowd: Crowd, product: Product) -> None:
    forget_mails(product)
    crowd.expect_complaint(r"status of 400 .*/email/")
    visitor, alice = crowd.visitor(), crowd.agent("alice")
    visitor.start("Is it oak?")
    leave_address(visitor)
    visitor.page.close()
    answer(alice, "It is oak.")
    write_now(product)
    mail = newest_mail(crowd)
    frame = mail.get_by_title("The e-mail as displayed").content_frame
    frame.get_by_role("link", name="Stop sending e-mails").click()
    mail.get_by_role("button", name="Stop sending me e-mails").click()
    expect(
        mail.get_by_role("heading", name="You will not receive any more e-mails")
    ).to_be_visible()
    assert product.rows("SELECT wants_mail FROM conversations_address") == [(False,)]
    mail.get_by_role("button", name="keep sending me e-mails").click()
    expect(mail.get_by_role("heading", name="You are subscribed again")).to_be_visible()


def answer(agent: Agent, text: str) -> None:
    agent.log_in().be_available()
    agent.say(text)
