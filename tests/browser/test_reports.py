"""The reports in a real browser: a figure, its definition, its rows; in both languages, checked by
axe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.scene import log_in
from tests.browser.test_every_page import READ_ALL, inaccessible

REPORTS = ("Experience", "Conversations", "Agents", "Transactions")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_figure_has_a_definition_and_rows(crowd: Crowd, language: str) -> None:
    translate = Language(language)
    page = crowd.context(locale=translate.locale).new_page()
    page.goto(f"{crowd.product.url}/login/")
    log_in(page, translate, "manager")
    tabs = page.get_by_role("navigation", name=translate("Reports"))
    faults = list[str]()
    for report in REPORTS:
        tabs.get_by_role("link", name=translate(report), exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        faults += translate.misses(page.evaluate(READ_ALL))
        if language == "fr":
            faults += [f"{report}: {fault}" for fault in inaccessible(page)]
    assert not faults, "\n".join(faults)

    tabs.get_by_role("link", name=translate("Conversations"), exact=True).click()
    label = translate("Conversations opened")
    page.get_by_role("button", name=translate("About “%(label)s”") % {"label": label}).first.click()
    expect(page.locator("[popover]:popover-open")).to_contain_text(label)
    page.keyboard.press("Escape")
    page.get_by_label(translate("Period"), exact=True).select_option("30")
    page.wait_for_url("**period=30**")
    page.get_by_role("link", name="0", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(label)
    page.get_by_role("button", name=translate("Export"), exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^CSV")).click()
    page.keyboard.press("Escape")
    assert download.value.suggested_filename.startswith("opened-")
