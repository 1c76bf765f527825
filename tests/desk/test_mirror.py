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


def come(conversation: Conversation) -> None:
    async_to_sync(visitor_presence.see)(conversation.visitor_id)


def shown(browser: Browser, agent: Agent, conversation: Conversation) -> str:
    return browser(agent.user).get(f"/desk/c/{conversation.pk}/toolbar/").content.decode()


def test_the_page_its_address_and_since_when(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    come(conversation)
    page_views.see(conversation.visitor_id, LAMP, at=NOW - timedelta(hours=3))
    page_views.see(conversation.visitor_id, LAMP, at=NOW - timedelta(minutes=2))  # opened again
    page = shown(browser, agent, conversation)
    mirror = page[page.index(HEADING) : page.index("</section>", page.index(HEADING))]
    assert "A &lt;b&gt;lamp&lt;/b&gt;" in mirror
    assert 'href="https://shop.example/lamp?from=mail" target="_blank" rel="noopener' in mirror
    assert "since 09:58" in mirror  # in the agent's time zone
    assert ">2\N{NO-BREAK SPACE}min</time>" in mirror


def test_who_has_left_is_on_no_page(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    page_views.see(conversation.visitor_id, LAMP, at=NOW)
    page = shown(browser, agent, conversation)
    assert "The visitor has left the site." in page
    assert "since" not in page[page.index(HEADING) : page.index("</section>")]


def test_an_unknown_page_is_not_invented(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    come(conversation)
    assert "The page is unknown." in shown(browser, agent, conversation)


def test_where_the_website_does_not_want_it_nothing_is_there(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.ACTIVE, step, agent)
    come(conversation)
    page_views.see(conversation.visitor_id, LAMP, at=NOW)
    assert HEADING not in shown(browser, agent, conversation)


def test_a_closed_conversation_follows_nobody(
    browser: Browser, step: RuleStep, agent: Agent, conversation: Conversation
) -> None:
    closed = in_status(Status.CLOSED, step, agent)
    come(closed)
    page_views.see(closed.visitor_id, LAMP, at=NOW)
    assert HEADING not in shown(browser, agent, closed)
