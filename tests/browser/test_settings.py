"""Each page of the settings is accessible and keeps the product's top bar."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.test_every_page import AXE, RUN_AXE

LINKS = "(links) => [...new Set(links.map((link) => link.getAttribute('href')))]"
OTHERS = [
    "/admin/",
    "/admin/setup/",
    "/admin/password_change/",
    "/admin/accounts/user/1/password/",
    "/admin/accounts/group/1/delete/",
    "/admin/conversations/article/unanswered/",
    "/admin/accounts/group/add/?_popup=1",
]


def pages_of(page: Page, url: str, *, forms: bool) -> list[str]:
    """Return the settings' lists, and with ``forms`` also the page to add and the first object of
    each."""
    page.goto(f"{url}/admin/accounts/group/")
    lists = page.locator(".places a").evaluate_all(LINKS)
    assert len(lists) > 15
    paths = [*OTHERS, *lists]
    for one in lists if forms else ():
        page.goto(url + one)
        paths += page.locator(".object-tools a.addlink").evaluate_all(LINKS)
        paths += page.locator("#result_list tbody th a").evaluate_all(LINKS)[:1]
    return paths


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_has_the_top_bar_and_labelled_fields(crowd: Crowd, language: str) -> None:
    translate = Language(language)
    admin = crowd.agent("admin", locale=translate.locale, viewport={"width": 390, "height": 844})
    admin.translate = translate
    admin.log_in()
    page, faults = admin.page, list[str]()
    # French has the longer texts, and axe's findings do not depend on the language.
    is_closer = language == "fr"
    for path in pages_of(page, admin.url, forms=is_closer):
        page.goto(path if path.startswith("http") else admin.url + path)
        bar = page.get_by_role("navigation", name=translate("Pages"))
        expect(bar.get_by_role("link", name=translate("Desk"))).to_be_visible()
        for more in page.locator(".add-row a").all():
            more.click()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{path} is wider than a phone")
        if is_closer:
            page.evaluate(AXE)
            faults += [f"{path}: {fault}" for fault in page.evaluate(RUN_AXE, [])]
    assert not faults, "\n".join(faults)


def test_settings_are_usable_on_a_phone(crowd: Crowd) -> None:
    admin = crowd.agent("admin", viewport={"width": 390, "height": 844})
    admin.log_in("/desk/")
    page = admin.page
    page.get_by_label("Your account").click()
    page.get_by_role("link", name="Settings").click()
    page.wait_for_url("**/admin/")
    # A click fails on an element that is covered by another.
    page.get_by_role("link", name="Groups", exact=True).click()
    page.wait_for_url("**/admin/accounts/group/")
    page.get_by_role("link", name="Experts").click()
    page.wait_for_url("**/change/")


def test_list_titles_are_not_covered(crowd: Crowd) -> None:
    admin = crowd.agent("admin", viewport={"width": 1440, "height": 900})
    admin.log_in("/admin/conversations/person/")  # people cannot be added here
    admin.page.get_by_role("heading", name="People").click(timeout=5000)


def test_login_on_a_phone_shows_the_product_name(crowd: Crowd) -> None:
    page = crowd.context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{crowd.product.url}/login/")
    expect(page.get_by_text("Causerie", exact=True)).to_be_visible()
