"""An agent is at work on every staff page, and gets its live updates (C70)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Crowd

# A conversation there does not come to Alice.
TO_ANOTHER_TEAM = """UPDATE conversations_conversation SET queue_id = NULL, group_id = (
    SELECT min(id) FROM accounts_group g WHERE NOT EXISTS (
        SELECT 1 FROM accounts_group_members m JOIN accounts_agent a ON a.id = m.agent_id
        JOIN accounts_user u ON u.id = a.user_id
        WHERE m.group_id = g.id AND u.username = 'alice')) RETURNING group_id"""
PAGES = ["/reports/", "/guide/", "/desk/find/", "/desk/replies/", "/desk/snoozed/"]


def is_reachable(crowd: Crowd, name: str) -> bool:
    """Return whether a socket of this agent is open."""
    rows = crowd.product.rows(
        "SELECT 1 FROM routing_deskconnection d JOIN accounts_agent a ON a.id = d.agent_id"
        " JOIN accounts_user u ON u.id = a.user_id"
        " WHERE u.username = %s AND d.closed_at IS NULL",
        name,
    )
    return bool(rows)


@pytest.mark.parametrize("path", PAGES)
def test_a_push_reaches_the_agent_on_another_page(crowd: Crowd, path: str) -> None:
    alice = crowd.agent("alice").log_in(path).be_available()
    assert alice.page.url.endswith(path)  # the button does not leave the page
    visitor = crowd.visitor()
    visitor.start("Is anybody there?")
    notice = alice.page.get_by_role("status").filter(has_text="New conversation")
    expect(notice).to_be_visible()
    expect(alice.page.get_by_role("link", name="Desk 1 waiting for you")).to_be_visible()
    expect(alice.page).to_have_title(re.compile(r"^\(1\) "))
    notice.get_by_role("link", name="Open").click()
    alice.sees("Is anybody there?")
    alice.page.goto(alice.url + path)
    alice.status.click()
    expect(alice.status).to_have_attribute("aria-pressed", "false")


def test_settings_keep_an_agent_connected(crowd: Crowd) -> None:
    admin = crowd.agent("admin").log_in("/admin/").be_available()
    expect(admin.status).to_have_attribute("aria-pressed", "true")
    for _try in range(100):
        if is_reachable(crowd, "admin"):
            break
        admin.page.wait_for_timeout(100)
    assert is_reachable(crowd, "admin")


def test_a_notice_on_another_page_disappears_when_outdated(crowd: Crowd) -> None:
    alice = crowd.agent("alice").log_in("/reports/").be_available()
    crowd.visitor().start("Is my lamp ready?")
    notice = alice.page.get_by_role("status").filter(has_text="New conversation")
    expect(notice).to_be_visible()
    notice.get_by_role("link", name="Open").focus()  # its timer is paused
    desk = alice.context.new_page()
    desk.goto(f"{alice.url}/desk/")
    desk.get_by_role("complementary", name="Conversations on your desk").get_by_role("link").click()
    desk.get_by_role("button", name="Transfer").click()
    desk.get_by_role("dialog").get_by_role("radio", name=re.compile("Bruno")).check()
    desk.get_by_role("button", name="Transfer to Bruno").click()
    expect(notice).to_have_count(0)


def test_boxes_reflect_availability_changed_elsewhere(crowd: Crowd) -> None:
    """In another tab, on another page, or without a socket to report it (C70)."""
    crowd.visitor().start("Who answers me?")
    assert crowd.product.rows(TO_ANOTHER_TEAM)
    alice = crowd.agent("alice").log_in()
    other, reports, deaf = (alice.context.new_page() for _page in range(3))
    crowd.expect_complaint("WebSocket")
    deaf.route_web_socket(re.compile("/ws/desk/"), lambda socket: socket.close())
    reports.goto(f"{alice.url}/reports/")
    for page in (other, deaf):
        page.goto(f"{alice.url}/desk/")
    columns = [
        page.get_by_role("complementary", name="Conversations on your desk")
        for page in (alice.page, other, deaf)
    ]
    for column in columns:
        expect(column).to_contain_text("Become available to receive")

    status = reports.get_by_role("group", name="Your availability").get_by_role("button")
    status.click()
    for column in columns[:2]:
        expect(column).to_contain_text("You are available.")
        # Not only half a minute later.
        expect(column.get_by_role("status")).to_contain_text(
            "1 conversation is waiting", timeout=10_000
        )
    status.click()
    for column in columns[:2]:
        expect(column).to_contain_text("Become available to receive")
        expect(column.get_by_role("status")).to_be_empty(timeout=10_000)

    columns[2].get_by_role("button", name="Become available").click()
    for column in columns:
        expect(column).to_contain_text("You are available.")
