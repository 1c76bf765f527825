"""All reports in a browser, for an empty website and for one conversation: one language, no
findings of axe, no sideways scrolling on a phone; actions from the board; printing and saving."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.people import Agent, Visitor
from tests.browser.test_every_page import NAMES, READ_ALL, inaccessible

REPORTS = {
    "board": "/reports/production/",
    "on desks": "/reports/production/active/",
    "snoozed": "/reports/production/snoozed/",
    "experience": "/reports/experience/?{asked}",
    "conversations": "/reports/conversations/?{asked}",
    "agents": "/reports/agents/?{asked}",
    "calls": "/reports/calls/?{asked}",
    "transactions": "/reports/transactions/?{asked}",
    "rows": "/reports/rows/closed/?{asked}",
    "queue size": "/reports/queue-size/",
    "exports": "/reports/exports/",
}
PHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1440, "height": 900}
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


def look_at_all(
    crowd: Crowd, page: Page, translate: Language, when: str, asked: str = "period=today"
) -> list[str]:
    """Return what is wrong with the reports. ``PICTURES`` names a folder for pictures of them."""
    folder = os.environ.get("PICTURES")
    faults = list[str]()
    for name, path in REPORTS.items():
        answer = page.goto(crowd.product.url + path.format(asked=asked))
        assert answer is not None
        assert answer.status == 200, path
        texts = [text for text in page.evaluate(READ_ALL) if text not in NAMES]
        faults += [f"{name}, {when}, says {text!r}" for text in translate.misses(texts)]
        # axe's findings do not depend on the language; most parts appear with years of history, or
        # with one conversation today.
        if translate.language == "fr" and when == ("years" if "{asked}" in path else "one"):
            faults += [f"{name}, {when}: {fault}" for fault in inaccessible(page)]
        for size, viewport in (("screen", SCREEN), ("phone", PHONE)):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            if folder:
                file = f"{name} {when} {size} {translate.language}.png".replace(" ", "-")
                page.screenshot(path=Path(folder) / file, full_page=True)
            if page.evaluate(TOO_WIDE):
                faults.append(f"{name}, {when}: wider than a {size}")
    return faults


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_report_works_for_zero_and_one_conversation(crowd: Crowd, language: str) -> None:
    translate = Language(language)
    manager = Agent(crowd.context(locale=translate.locale), crowd.product.url, "manager", translate)
    page = manager.log_in("/reports/production/").page
    faults = look_at_all(crowd, page, translate, "empty")

    visitor = Visitor(crowd.context(), crowd.product.url)
    alice = crowd.agent("alice").log_in().be_available()
    visitor.start("42 ?")
    alice.sees("42 ?")
    alice.say("43 !")
    visitor.sees("43 !")
    alice.act("Close")
    expect(alice.page.get_by_text("Your desk is clear")).to_be_visible()
    faults += look_at_all(crowd, page, translate, "one")
    assert not faults, "\n".join(faults)
    page.goto(f"{crowd.product.url}/reports/conversations/?period=today")
    expect(page.locator('.tile a[href^="/reports/rows/closed/"]')).to_have_text("1")


def test_printed_report_has_figures_and_no_controls(crowd: Crowd) -> None:
    visitor = crowd.visitor()
    visitor.start("42 ?")
    page = crowd.agent("manager", color_scheme="dark").log_in("/reports/production/").page
    page.goto(f"{crowd.product.url}/reports/conversations/?period=today")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    drawn = "rects => rects.filter(one => one.getBoundingClientRect().height > 1).length"
    assert page.locator(".plot rect.bar").evaluate_all(drawn) == 1
    # Table headings are printed even where they are buttons on a screen.
    for hidden in (page.get_by_role("navigation"), page.locator("button:not(thead .label)")):
        assert [one for one in hidden.all() if one.is_visible()] == []
    expect(page.get_by_role("form", name="Filters")).to_be_hidden()
    ink = page.evaluate("getComputedStyle(document.body).color")
    # dark on white, also in dark mode
    assert max(int(part) for part in re.findall(r"\d+", ink)[:3]) < 80
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_board_can_reassign_release_and_wake(crowd: Crowd) -> None:
    visitor = crowd.visitor()
    visitor.start("42 ?")
    page = crowd.agent("manager").log_in("/reports/production/").page
    waits = page.get_by_role("region", name="Waiting")
    waits.get_by_text("Why?").click()
    waits.get_by_text("Reassign").first.click()
    waits.get_by_label("Assign to").select_option("Alice")
    waits.get_by_role("button", name="Reassign", exact=True).click()
    # The line itself, not its opened explanation.
    line = waits.locator("summary").filter(has_text="assigned to Alice")
    expect(line).to_contain_text("expires in")
    page.get_by_role("link", name="1 assigned").click()
    expect(page.get_by_role("heading", name="Assigned")).to_be_visible()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("No assigned conversations.")).to_be_visible()

    alice = crowd.agent("alice").log_in().be_available()
    alice.sees("42 ?")
    alice.say("43 !")
    alice.snooze(keep=True)
    alice.status.click()
    page.goto(f"{crowd.product.url}/reports/production/")
    asleep = page.get_by_role("region", name="Snoozed conversations")
    asleep.get_by_role("button", name="Resume").click()
    expect(asleep.get_by_text("No snoozed conversations.")).to_be_visible()
    expect(line).to_be_visible()


def test_export_is_prepared_and_downloaded(crowd: Crowd) -> None:
    visitor = crowd.visitor()
    visitor.start("42 ?")
    page = crowd.agent("manager").log_in("/reports/production/").page
    page.goto(f"{crowd.product.url}/reports/conversations/?period=today")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="Prepare as CSV").click()
    expect(page.get_by_role("heading", name="Exports")).to_be_visible()
    first = page.get_by_role("region", name="Exports").get_by_role("listitem").first
    expect(first).to_contain_text("1 row")
    assert inaccessible(page) == []
    with page.expect_download() as download:
        first.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"conversations-\d{8}-\d{4}\.csv", download.value.suggested_filename)
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 2
    first.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No exports yet.")).to_be_visible()
