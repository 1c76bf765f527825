"""All reports in a browser over years of history: a few thousand conversations, or a million.

``HISTORY`` names a data folder with more (``VAR`` of ``python -m bench.reports --make 1000000``);
it is migrated and gets the demo's people.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Crowd
from tests.browser.language import Language
from tests.browser.people import Agent
from tests.browser.product import ROOT, Product
from tests.browser.test_reports_whole import look_at_all

CLOSED = "rows => rows.map(({ cells }) => Number(cells[2].dataset.value))"
MAKE = "from bench.reports import make; make(2000, agents=30, days=730)"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """An installation with some years of history; a named data folder stays where it is."""
    named = os.environ.get("HISTORY")
    var = Path(named) if named else tmp_path_factory.mktemp("grown") / "var"
    product = Product(var, WEB_PROCESSES="1", LOG_LEVEL="ERROR")
    try:
        product.start()
        if not named:
            environment = product.variables() | product.engines()
            command = [sys.executable, "-c", MAKE]
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        yield product
    finally:
        product.stop()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_report_works_over_years_of_history(
    browser: Browser, grown: Product, language: str
) -> None:
    crowd, translate = Crowd(browser, grown), Language(language)
    [(website, zone)] = grown.rows("SELECT id, time_zone FROM accounts_website WHERE key = 'bench'")
    admin = Agent(crowd.context(locale=translate.locale), grown.url, "admin", translate)
    page = admin.log_in("/reports/production/").page
    narrowed = f"period=365&website={website}"
    faults = look_at_all(crowd, page, translate, "years", narrowed)
    assert not faults, "\n".join(faults)

    page.goto(f"{grown.url}/reports/conversations/?{narrowed}")
    [(closed,)] = grown.rows(
        "SELECT count(*) FROM conversations_conversation WHERE website_id = %s AND closed_at >="
        " (date_trunc('day', now() AT TIME ZONE %s) - interval '364 days') AT TIME ZONE %s",
        *(website, zone, zone),
    )
    tile = page.locator('.tile a[href^="/reports/rows/closed/"]')
    expect(tile).to_have_text(re.compile(r"^[\d\s,]+$"))
    assert re.sub(r"\D", "", tile.inner_text()) == str(closed)
    heading = page.get_by_role("columnheader", name=translate("Conversations closed"))
    for order, is_reversed in (("descending", True), ("ascending", False)):
        heading.get_by_role("button", name=translate("Conversations closed"), exact=True).click()
        expect(heading).to_have_attribute("aria-sort", order)
        closed_counts = page.locator("table.sortable tbody tr").evaluate_all(CLOSED)
        assert len(closed_counts) > 10
        assert closed_counts == sorted(closed_counts, reverse=is_reversed)
    crowd.leave()
    assert crowd.unexpected() == []
