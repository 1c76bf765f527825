"""Rules for all styles and templates of the desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations.lifecycle.transitions import Status
from routing.models import RuleStep
from tests.factories import in_status, on_desk

ROOT = Path(__file__).resolve().parents[2]
STYLES = [*(ROOT / "static/base").glob("*.css"), *(ROOT / "static/desk").glob("*.css")]
PAGES = [*(ROOT / "templates/desk").glob("*.html"), ROOT / "templates/_user_menu.html"]
Browser = Callable[[User], Client]


def test_styles_use_three_font_weights() -> None:
    weights = {
        weight
        for style in STYLES
        for weight in re.findall(r"(?:font-weight:|font: ) *(\d{3}|bold\w*)\b", style.read_text())
    }
    assert weights == {"400", "500", "600"}


def test_every_summary_has_the_fold_icon() -> None:
    for page in PAGES:
        for summary in re.findall(r"<summary\b[^>]*>.{0,40}", page.read_text()):
            is_menu = "Your account" in summary or "button" in summary
            assert is_menu or ('class="fold"' in summary and "{% icon" in summary), page.name


def test_pages_include_the_fragment_for_empty_states() -> None:
    for page in PAGES:
        # the fragment is included instead
        assert 'class="empty"' not in page.read_text(), page.name


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
def test_empty_desk_explains_and_offers_the_next_step(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    client = browser(agent.user)
    shown = client.get("/desk/boxes/").content.decode()
    assert "Your desk is clear" in shown
    assert "You are available" in shown
    assert "Become available" not in shown.replace("Become available:", "")
    agent.channels.update(is_available=False)
    shown = client.get("/desk/boxes/").content.decode()
    assert 'name="available" value="true">' in shown
    # Available on one of two channels: the next conversation will come, and the page says so.
    agent.channels.update(is_available=True)
    agent.channels.create(channel="video", slots=1, is_available=False)
    shown = client.get("/desk/boxes/").content.decode()
    assert "You are available" in shown
    assert "Become available to receive" not in shown
    on_desk(step, agent)
    assert "Your desk is clear" not in client.get("/desk/boxes/").content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
def test_snoozed_tab_shows_one_empty_state(browser: Browser, step: RuleStep, agent: Agent) -> None:
    client = browser(agent.user)
    shown = client.get("/desk/snoozed/").content.decode()
    assert shown.count('class="empty"') == 1
    assert "No snoozed conversations" in shown
    in_status(Status.SNOOZED, step, agent)
    shown = client.get("/desk/snoozed/").content.decode()
    assert 'class="empty"' not in shown
    assert "Your groups have no conversations set aside." in shown


@pytest.mark.django_db
def test_the_account_menu_is_a_list(browser: Browser, agent: Agent) -> None:
    shown = browser(agent.user).get("/desk/", headers={"HX-Request": ""}).content.decode()
    [menu] = re.findall(r'<ul class="items">(.*?)</ul>', shown, re.S)
    for entry in ("Agent identifier", "Canned replies", "Guide for agents", "Keyboard shortcuts"):
        assert entry in menu
