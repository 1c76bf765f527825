"""The opening hours of a group: one week in a grid, copied from day to day (C80)."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.test_every_page import inaccessible

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
PATH = "/admin/accounts/group/add/"


def hours(page: Page, day: str) -> list[str]:
    row = page.get_by_role("group", name=day, exact=True)
    return [field.input_value() for field in row.locator(".week-time").all()]


def test_hours_are_added_copied_and_saved(crowd: Crowd) -> None:
    crowd.expect_complaint("Applying inline style|CSP: style-src|preload assets")  # by axe
    admin = crowd.agent("admin")
    admin.log_in(PATH)
    page = admin.page
    page.get_by_label("Website:", exact=True).select_option(index=1)
    page.get_by_label("Name:", exact=True).fill("Grid")
    monday = page.get_by_role("group", name="Monday", exact=True)
    expect(monday.get_by_text("Open around the clock")).to_be_visible()
    for opens, closes in (("09:00", "12:00"), ("14:00", "18:00")):
        monday.get_by_role("button", name="add an interval").press("Enter")
        expect(monday.get_by_label("Monday, from").last).to_be_focused()
        monday.get_by_label("Monday, from").last.fill(opens)
        monday.get_by_label("Monday, to").last.fill(closes)
    saturday = page.get_by_role("group", name="Saturday", exact=True)
    expect(saturday.get_by_text("Closed")).to_be_visible()
    opener = monday.get_by_role("button", name="copy to other days")
    opener.press("Enter")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.press("Enter")
    expect(monday.get_by_label("Monday to Friday")).to_be_focused()
    page.keyboard.press("Space")
    expect(monday.get_by_label("Thursday")).to_be_checked()
    expect(monday.get_by_label("Saturday")).not_to_be_checked()
    assert not inaccessible(page)
    monday.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied to: Tuesday, Wednesday, Thursday, Friday.")).to_be_visible()
    friday = page.get_by_role("group", name="Friday", exact=True)
    friday.get_by_role("button", name="remove this interval").last.click()
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/")
    page.reload()
    for day in WEEKDAYS[:-1]:
        assert hours(page, day) == ["09:00", "12:00", "14:00", "18:00"], day
    assert hours(page, "Friday") == ["09:00", "12:00"]
    assert hours(page, "Sunday") == []
    expect(page.get_by_role("group", name="Sunday", exact=True)).to_contain_text("Closed")
    page.get_by_role("link", name="Delete").click()
    page.locator(".deleting [type=submit]").click()
    page.wait_for_url("**/accounts/group/")
