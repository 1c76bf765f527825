"""A manager asks why a conversation waits, and how many places there should be."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Board, Visitor
from tests.browser.test_every_page import inaccessible


def test_explanation_is_updated_until_the_wait_ends(crowd: Crowd, visitor: Visitor) -> None:
    visitor.start("Who answers me?")
    board = Board(crowd.agent("manager")).watch()
    waits = board.page.get_by_role("region", name="Waiting")
    waits.get_by_text("Why?").click()
    expect(
        waits.get_by_text("No one in the group Équipe de réponse can take it at the moment")
    ).to_be_visible()
    alice = waits.get_by_role("listitem").filter(has_text="Alice").last
    expect(alice).to_contain_text("opens the desk")
    expect(waits.get_by_text("offline").first).to_be_visible()
    assert inaccessible(board.page) == []

    # An open explanation stays open, and is updated.
    crowd.agent("alice").log_in()
    expect(waits.get_by_text("Alice becomes available on Chat.")).to_be_visible()
    expect(waits.get_by_text("offline")).to_have_count(2)  # "1 offline", and the agent

    manager = board.manager
    waits.get_by_role("link", name="Read").click()
    manager.page.get_by_text("Why is it waiting?").click()
    expect(manager.page.get_by_text("next in line")).to_be_visible()

    crowd.agents[-1].be_available()
    board.page.goto(f"{manager.url}/reports/production/")
    expect(waits).to_be_hidden()
    expect(board.page.get_by_text("An agent is free")).to_be_hidden()


def test_queue_size_is_calculated(crowd: Crowd) -> None:
    manager = crowd.agent("manager").log_in("/reports/queue-size/")
    page = manager.page
    expect(page.get_by_text("There is no history to replay yet")).to_be_visible()
    for label, value in (
        ("Agents", "5"),
        ("Conversations per agent per hour", "10"),
        ("Off-peak hours", "3"),
    ):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Calculate").click()
    expect(page.get_by_text("= 150")).to_be_visible()
    expect(page.get_by_text("Start with 75 places")).to_be_visible()
    assert inaccessible(page) == []


def test_api_documentation_can_execute_requests(crowd: Crowd) -> None:
    manager = crowd.agent("manager").log_in("/reports/production/")
    manager.page.goto(f"{manager.url}/api/docs/")
    manager.page.get_by_role("button", name="GET /api/v1/conversations/", exact=True).click()
    manager.page.get_by_role("button", name="Try it out").click()
    manager.page.get_by_role("button", name="Execute", exact=True).click()
    expect(manager.page.get_by_text('"results"').first).to_be_visible()
