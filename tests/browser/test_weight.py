"""The compressed weight of pages: a brand's page loads one tiny script until the Messenger is
opened."""

from __future__ import annotations

import gzip

from playwright.sync_api import Response, expect

from tests.browser.conftest import Crowd

KB = 1024


def weigh(responses: list[Response]) -> int:
    return sum(len(gzip.compress(response.body())) for response in responses if response.ok)


def test_pages_stay_below_size_limits(crowd: Crowd) -> None:
    loaded: list[Response] = []
    visitor = crowd.visitor()
    visitor.page.on("response", lambda response: loaded.append(response))
    visitor.visit()
    expect(visitor.launcher).to_be_visible()
    ours = [one for one in loaded if "embed.js" in one.url or "/engagement/" in one.url]
    assert [one.url.split("/")[3].split("?")[0] for one in ours] == ["embed.js", "messenger"]
    assert weigh(ours[:1]) <= 5 * KB
    loaded.clear()
    visitor.open()
    expect(visitor.frame.get_by_role("button", name="I accept")).to_be_visible()
    assert weigh(loaded) <= 45 * KB

    alice = crowd.agent("alice").log_in()
    pages: list[Response] = []
    desk = alice.context.new_page()
    desk.on("response", lambda response: pages.append(response))
    desk.goto(f"{alice.url}/desk/")
    expect(desk.get_by_text("Your desk is clear")).to_be_visible()
    assert weigh(pages) <= 150 * KB
