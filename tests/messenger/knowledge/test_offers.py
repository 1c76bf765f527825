"""Articles in the Messenger before the first message: found, read and counted, and nothing about
the visitor is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts.models import Website
from conversations.knowledge import uses
from conversations.models import Article, ArticleState, ArticleUse, Audience
from tests.factories import ArticleFactory
from tests.messenger.conftest import Browser
from tests.messenger.test_page import config_of

pytestmark = pytest.mark.django_db
QUESTION = "Bonjour, quel est le délai de livraison ?"


@pytest.fixture
def article(website: Website) -> Article:
    return ArticleFactory(
        website=website, name="Délais de livraison", body="Sous **48 heures**.\n\n- <b>ou plus</b>"
    )


def ask(path: str, body: dict[str, Any], language: str = "fr") -> Any:
    headers = {"Accept-Language": language}
    address = f"/messenger/celeste/articles/{path}"
    return Client().post(address, body, content_type="application/json", headers=headers)


def counts() -> dict[str, int]:
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
    }


def test_an_article_is_offered_before_there_is_a_visitor(article: Article) -> None:
    before = counts()
    answer = ask("", {"question": QUESTION})
    assert answer.json() == {
        "articles": [
            {"id": article.pk, "title": "Délais de livraison", "excerpt": "Sous 48 heures."}
        ]
    }
    assert counts() == before
    assert not answer.cookies


def test_an_article_in_another_language_is_not_offered(article: Article) -> None:
    assert ask("", {"question": QUESTION}, "en").json() == {"articles": []}


@pytest.mark.parametrize("hidden", [{"audience": Audience.AGENTS}, {"state": ArticleState.DRAFT}])
def test_what_is_not_public_is_neither_offered_nor_read(
    article: Article, hidden: dict[str, str]
) -> None:
    Article.objects.update(**hidden)
    assert ask("", {"question": QUESTION}).json() == {"articles": []}
    for path in ("read/", "answered/"):
        assert ask(path, {"article": article.pk}).status_code == 404
    assert not ArticleUse.objects.exists()


def test_an_article_of_another_website_is_not_found(website: Website) -> None:
    other = ArticleFactory(name="Délais de livraison")
    assert ask("", {"question": QUESTION}).json() == {"articles": []}
    assert ask("read/", {"article": other.pk}).status_code == 404


def test_reading_and_answering_are_counted_by_day_without_a_visitor(article: Article) -> None:
    before = counts()
    answer = ask("read/", {"article": article.pk}).json()
    assert answer["html"].startswith("<p>Sous <strong>48 heures</strong>.</p>")
    assert "<b>" not in answer["html"]
    assert answer["url"] == f"/help/celeste/{article.pk}/delais-de-livraison/"
    ask("read/", {"article": article.pk})
    assert ask("answered/", {"article": article.pk}).status_code == 204
    [use] = ArticleUse.objects.all()
    assert (use.reads, use.answers) == (2, 1)
    before["conversations.ArticleUse"] = 1
    assert counts() == before


def test_the_list_sums_the_last_thirty_days(article: Article) -> None:
    now = timezone.now()
    for days in (0, 29, 31):
        uses.count_read(article, at=now - timedelta(days=days))
    uses.count_answer(article, at=now)
    [listed] = uses.with_uses(Article.objects.all(), at=now)
    assert (listed.reads, listed.answers) == (2, 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize("question", [None, 7, ["x"], {"a": 1}])
def test_a_question_must_be_a_text(article: Article, question: object) -> None:
    assert ask("", {"question": question}).status_code == 400


@pytest.mark.parametrize("number", [None, "1", True, 0, -1, 2**63 - 1, [1]])
def test_an_unknown_article_is_not_found(article: Article, number: object) -> None:
    assert ask("read/", {"article": number}).status_code == 404


def test_the_page_knows_whether_there_are_articles(browser: Browser, article: Article) -> None:
    shown: Any = config_of(browser.get("?lang=fr").content.decode())["articles"]
    assert shown["script"].endswith("articles.js")
    assert config_of(browser.get("?lang=en").content.decode())["articles"] is None
