"""The page the visitor is on: shown if the website wants it, and up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.models import Agent, User
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from conversations.visitors import page_views, visitor_presence
from conversations.visitors.page_views import Seen
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import in_status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
LAMP = Seen(url="https://shop.example/lamp?from=mail", title="A <b>lamp</b>")
HEADING = "Current page"


@pytest.fixture
def conversation(step: RuleStep, agent: Agent) -> Conversation:
    website = step.group.website
    website.mirroring = True
    website.save()
    return in_status(Status.ACTIVE, step, agent)


def bring_online(conversation: Conversation) -> None:
    async_to_sync(visitor_presence.see)(conversation.visitor_id)


def shown(browser: Browser, agent: Agent, conversation: Conversation) -> str:
    return browser(agent.user).get(f"/desk/c/{conversation.pk}/toolbar/").content.decode()


def test_current_page_is_shown_with_address_and_time(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    bring_online(conversation)
    page_views.see(conversation.visitor_id, LAMP, at=NOW - timedelta(hours=3))
    page_views.see(conversation.visitor_id, LAMP, at=NOW - timedelta(minutes=2))  # opened again
    page = shown(browser, agent, conversation)
    mirror = page[page.index(HEADING) : page.index("</section>", page.index(HEADING))]
    assert "A &lt;b&gt;lamp&lt;/b&gt;" in mirror
    assert 'href="https://shop.example/lamp?from=mail" target="_blank" rel="noopener' in mirror
    assert "since 09:58" in mirror  # in the agent's time zone
    assert ">2\N{NO-BREAK SPACE}min</time>" in mirror


def test_departed_visitor_has_no_current_page(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    page_views.see(conversation.visitor_id, LAMP, at=NOW)
    page = shown(browser, agent, conversation)
    assert "The visitor has left the site." in page
    assert "since" not in page[page.index(HEADING) : page.index("</section>")]


def test_unknown_page_is_shown_as_unknown(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    bring_online(conversation)
    assert "The page is unknown." in shown(browser, agent, conversation)


def test_page_is_hidden_if_mirroring_is_off(browser: Browser, step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ACTIVE, step, agent)
    bring_online(conversation)
    page_views.see(conversation.visitor_id, LAMP, at=NOW)
    assert HEADING not in shown(browser, agent, conversation)


def test_page_is_hidden_for_closed_conversations(
    browser: Browser, step: RuleStep, agent: Agent, conversation: Conversation
) -> None:
    closed = in_status(Status.CLOSED, step, agent)
    bring_online(closed)
    page_views.see(closed.visitor_id, LAMP, at=NOW)
    assert HEADING not in shown(browser, agent, closed)
