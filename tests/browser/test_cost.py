"""What a brand's page pays for the embed: its main thread's time, as Lighthouse counts it."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.brand import page as brand_page
from tests.browser.conftest import Crowd

PROMISE_MS = 20
LOADS = 4
SETTLE_MS = 800


def test_the_embed_costs_a_page_little(crowd: Crowd) -> None:
    """The least of several loads: what else the machine does can only add to it."""
    with (
        brand_page(crowd.product.url, "demo") as with_it,
        brand_page(crowd.product.url, "demo", script="") as without,
    ):
        costs = [
            (load(crowd, with_it, is_engaged=True), load(crowd, without, is_engaged=False))
            for _ in range(LOADS)
        ]
    with_embed, alone = (min(spent) for spent in zip(*costs, strict=True))
    assert with_embed - alone <= PROMISE_MS, costs


def load(crowd: Crowd, port: int, *, is_engaged: bool) -> float:
    """CPU of the page's main thread in ms. Nothing is asked of the page before that was read: a
    question puts the test tool's own scripts into it, which weigh more than ours."""
    page = crowd.context().new_page()
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    go(page, f"http://localhost:{port}/", is_engaged=is_engaged)
    page.wait_for_timeout(SETTLE_MS)
    told = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    assert page.get_by_role("button").count() == is_engaged
    page.context.close()
    return float(1000 * told["TaskDuration"])


def go(page: Page, url: str, *, is_engaged: bool) -> None:
    if not is_engaged:
        page.goto(url)
        return
    with page.expect_response("**/engagement/"):
        page.goto(url)
