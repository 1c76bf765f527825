"""Articles at the desk: the list, reading, and suggestions."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations.messages import sending
from conversations.models import Article, Audience, Author
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, ArticleFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


@pytest.fixture
def article(step: RuleStep) -> Article:
    return ArticleFactory(
        website=step.rule.website, name="Délais de livraison", body="Sous **48 heures**."
    )


def test_agents_search_and_read_articles(browser: Browser, agent: Agent, article: Article) -> None:
    client = browser(agent.user)
    page = client.get("/desk/articles/?q=delai+livraisons").content.decode()
    assert f"/desk/articles/{article.pk}/" in page
    assert "Délais" not in client.get("/desk/articles/?q=bitcoin").content.decode()
    page = client.get(f"/desk/articles/{article.pk}/").content.decode()
    assert "<strong>48 heures</strong>" in page
    assert "/admin/" not in page.partition("<article")[2]


def test_strangers_read_none(browser: Browser, article: Article) -> None:
    client = browser(AgentFactory().user)
    assert "Délais" not in client.get("/desk/articles/").content.decode()
    assert client.get(f"/desk/articles/{article.pk}/").status_code == 404


def test_a_manager_is_led_to_the_settings(
    browser: Browser, manager: User, article: Article
) -> None:
    page = browser(manager).get(f"/desk/articles/{article.pk}/").content.decode()
    assert f"/admin/conversations/article/{article.pk}/change/" in page


@pytest.mark.parametrize("audience", Audience.values)
def test_an_article_is_suggested_with_its_title_and_link(
    browser: Browser, step: RuleStep, agent: Agent, article: Article, audience: str
) -> None:
    Article.objects.update(audience=audience)
    conversation = on_desk(step, agent)
    asked = "Bonjour, quel est le délai de livraison ?"
    sending.add(conversation.pk, author=Author.VISITOR, body=asked, client_id=uuid.uuid4(), at=NOW)
    offered = browser(agent.user).post(f"/desk/c/{conversation.pk}/suggestions/").json()
    link = f"http://127.0.0.1:8000/help/{step.rule.website.key}/{article.pk}/delais-de-livraison/"
    assert offered["suggestions"] == [
        {
            "source": "article",
            "title": "Délais de livraison",
            "body": f"Délais de livraison\n{link}" if audience == Audience.PUBLIC else "",
            "page": f"/desk/articles/{article.pk}/",
        }
    ]
