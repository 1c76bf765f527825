"""The place of the picture in the toolbar: a button, a reason, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.models import Agent, User
from conversations.mirroring import looks
from conversations.models import Consent, Conversation, LookEnd
from conversations.visitors import visitor_presence
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import VisitorFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
PLACE = "data-mirror="


@pytest.fixture
def conversation(step: RuleStep, agent: Agent) -> Conversation:
    website = step.rule.website
    website.mirrors_screen = True
    website.save()
    visitor = VisitorFactory(website=website, agrees=True)
    Consent.objects.update(covers_mirroring=True)
    async_to_sync(visitor_presence.see)(visitor.pk)
    return on_desk(step, agent, visitor=visitor)


def shown(browser: Browser, user: User, conversation: Conversation) -> str:
    return browser(user).get(f"/desk/c/{conversation.pk}/toolbar/").content.decode()


def test_the_agent_of_the_conversation_may_look(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    page = shown(browser, agent.user, conversation)
    assert f'{PLACE}"{conversation.pk}"' in page
    assert f'data-frame="/desk/c/{conversation.pk}/mirror/"' in page


def test_without_the_setting_nothing_is_there(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    conversation.website.mirrors_screen = False
    conversation.website.save()
    page = shown(browser, agent.user, conversation)
    assert "Visitor&#x27;s page" not in page
    assert PLACE not in page


def test_a_visitor_who_has_left_cannot_be_seen(
    browser: Browser, step: RuleStep, agent: Agent, conversation: Conversation
) -> None:
    away = on_desk(step, agent, visitor=VisitorFactory(website=step.rule.website, agrees=True))
    Consent.objects.update(covers_mirroring=True)
    page = shown(browser, agent.user, away)
    assert "The visitor has left the site." in page
    assert PLACE not in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: Consent.objects.update(covers_mirroring=False), "has not agreed"),
        (lambda c: looks.stop(c.pk, at=NOW), "has stopped showing their page"),
    ],
)
def test_the_reason_is_given(
    browser: Browser,
    agent: Agent,
    conversation: Conversation,
    change: Callable[[Conversation], None],
    sentence: str,
) -> None:
    change(conversation)
    page = shown(browser, agent.user, conversation)
    assert sentence in page
    assert PLACE not in page


def test_who_has_looked_and_how_long_is_shown(
    browser: Browser, agent: Agent, conversation: Conversation
) -> None:
    look = looks.begin(conversation.pk, agent=agent, at=NOW)
    looks.end(look.pk, how=LookEnd.LEFT, at=NOW + timedelta(minutes=3))
    page = shown(browser, agent.user, conversation)
    seen = page[page.index("Who has seen it") : page.index("</details>")]
    assert "Alice" in seen
    assert "3\N{NO-BREAK SPACE}min" in seen
