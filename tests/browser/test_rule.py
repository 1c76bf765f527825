"""An administrator changes the places of a rule, and the next engagement obeys (R216)."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Crowd
from tests.browser.people import Agent


def set_places(admin: Agent, places: int) -> None:
    admin.page.goto(f"{admin.url}/admin/routing/distributionrule/")
    admin.page.get_by_role("link", name="vers equipe de reponse", exact=True).click()
    queues = admin.page.get_by_role("row").filter(has=admin.page.get_by_role("spinbutton"))
    queues.first.get_by_role("spinbutton").last.fill(str(places))
    admin.page.get_by_role("button", name="Save", exact=True).click()
    expect(admin.page.get_by_text("was changed successfully")).to_be_visible()


def test_change_of_places_takes_effect_immediately(crowd: Crowd) -> None:
    admin, visitor = crowd.agent("admin"), crowd.visitor()
    admin.log_in("/admin/")
    visitor.visit()
    expect(visitor.launcher).to_be_visible()

    set_places(admin, 0)
    with visitor.page.expect_response(re.compile("/engagement/")) as answer:
        visitor.page.reload()
    assert answer.value.json()["engage"] is False
    expect(visitor.launcher).to_be_hidden()

    set_places(admin, 1)
    visitor.page.reload()
    visitor.open()
    visitor.agree()
    visitor.say("The one place is mine")
    expect(visitor.frame.get_by_text("You are next in line")).to_be_visible()
    second = crowd.visitor()
    second.visit_until_engaged(False)

    # Without a queue, a free agent is required: then the conversation is live.
    set_places(admin, 0)
    alice = crowd.agent("alice").log_in().be_available()
    alice.sees("The one place is mine")
    second.visit_until_engaged(True)
    second.open()
    second.sees("an adviser is here to answer you")
    second.agree()
    second.say("And I am live")
    expect(alice.boxes).to_have_count(2)
    alice.boxes.last.click()
    alice.sees("And I am live")
    expect(alice.page.get_by_role("button", name="Close", exact=True)).to_be_visible()
    expect(alice.page.get_by_role("button", name="Snooze")).to_have_count(0)
