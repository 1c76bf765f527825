"""The groups of a rule are ordered by arrows, with the keyboard alone, and the order is obeyed."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.product import Product

ORDER = """SELECT g.name FROM routing_rulestep s JOIN accounts_group g ON g.id = s.group_id
    ORDER BY s.position"""


def test_queues_can_be_reordered_by_keyboard(crowd: Crowd, product: Product) -> None:
    team, experts = [str(row[0]) for row in product.rows(ORDER)]
    admin = crowd.agent("admin").log_in("/admin/routing/distributionrule/").page
    admin.get_by_role("link", name="Edit vers equipe de reponse").click()
    rows = admin.get_by_role("row").filter(has=admin.get_by_role("spinbutton"))
    expect(rows.first.get_by_role("spinbutton").last).to_have_accessible_name(re.compile(team))
    first_up = rows.first.get_by_role("button", name="Move up (1 of 2)")
    expect(first_up).to_be_disabled()
    rows.first.get_by_role("button", name="Move down (1 of 2)").press("Enter")
    expect(rows.first.get_by_role("spinbutton").last).to_have_accessible_name(re.compile(experts))
    # The focus stays with the row that moved, on the arrow that is enabled.
    expect(rows.last.get_by_role("button", name="Move up (2 of 2)")).to_be_focused()
    admin.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(admin.get_by_text("was changed successfully")).to_be_visible()
    assert [str(row[0]) for row in product.rows(ORDER)] == [experts, team]

    admin.get_by_role("link", name="Edit vers equipe de reponse").click()
    rows.last.get_by_role("button", name="Move up (2 of 2)").press("Enter")
    admin.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(admin.get_by_text("was changed successfully")).to_be_visible()
    assert [str(row[0]) for row in product.rows(ORDER)] == [team, experts]
