"""A website's articles as public pages, and their preview in the administration."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Role, Website
from conversations.models import Article, ArticleState, Audience
from messenger.knowledge.pages import address_of
from tests.factories import ArticleFactory, GroupFactory, UserFactory, WebsiteFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return WebsiteFactory(key="celeste", name="Maison Céleste", accent="#8a2be2")


@pytest.fixture
def article(website: Website) -> Article:
    return ArticleFactory(website=website, name="Délais & œuvres", body="Sous **48 heures**.")


def test_a_public_article_is_a_page_of_its_website(article: Article) -> None:
    assert address_of(article) == f"/help/celeste/{article.pk}/delais-oeuvres/"
    answer = Client().get(address_of(article))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>Délais &amp; œuvres</h1>" in html
    assert "<strong>48 heures</strong>" in html
    assert "Maison Céleste" in html
    assert '<html lang="fr">' in html


def test_a_page_has_no_script_no_cookie_and_a_strict_policy(article: Article) -> None:
    answer = Client().get(address_of(article))
    policy = dict(one.split(" ", 1) for one in answer["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert "script-src" not in policy
    assert not answer.cookies
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.content.decode())


def test_the_former_title_leads_to_the_page(article: Article) -> None:
    answer = Client().get(f"/help/celeste/{article.pk}/former-title/")
    assert (answer.status_code, answer["Location"]) == (301, address_of(article))


@pytest.mark.parametrize("hidden", [{"audience": Audience.AGENTS}, {"state": ArticleState.DRAFT}])
def test_what_is_not_public_is_not_found(article: Article, hidden: dict[str, str]) -> None:
    Article.objects.filter(pk=article.pk).update(**hidden)
    assert Client().get(address_of(article)).status_code == 404
    assert "Délais" not in Client().get("/help/celeste/").content.decode()


def test_an_article_is_found_on_its_own_website_only(article: Article) -> None:
    WebsiteFactory(key="other")
    assert Client().get(f"/help/other/{article.pk}/{article.slug}/").status_code == 404
    assert "Délais" not in Client().get("/help/other/").content.decode()


def test_the_list_can_be_searched(website: Website, article: Article) -> None:
    ArticleFactory(website=website, name="Retours", body="Sous 14 jours.")
    html = Client().get("/help/celeste/?q=delai+oeuvre").content.decode()
    assert "Délais &amp; œuvres" in html
    assert "Retours" not in html
    none = Client().get("/help/celeste/?q=bitcoin").content.decode()
    assert "Aucun article ne contient ces mots." in none


def test_each_language_has_its_own_list(website: Website, article: Article) -> None:
    ArticleFactory(website=website, name="Delivery times", language="en")
    french = Client().get("/help/celeste/").content.decode()
    english = Client().get("/help/celeste/?language=en").content.decode()
    assert "Délais" in french
    assert "Delivery times" not in french
    assert "Delivery times" in english
    assert '<html lang="en">' in english


def test_the_colours_are_the_websites(website: Website) -> None:
    answer = Client().get("/help/celeste/colours.css")
    assert answer["Content-Type"] == "text/css"
    assert answer.content.decode() == ":root{--accent:#8a2be2;--on-accent:#ffffff}"
    Website.objects.update(accent="red;}*{")
    assert "red" not in Client().get("/help/celeste/colours.css").content.decode()


@pytest.fixture
def manager(website: Website) -> Client:
    user = UserFactory(role=Role.MANAGER)
    user.managed_groups.add(GroupFactory(website=website))
    client = Client()
    log_in_freshly(client, user)
    return client


def form_of(website: Website, **changes: object) -> dict[str, object]:
    return {
        "website": website.pk,
        "language": "fr",
        "name": "Retours",
        "body": "Sous *14 jours*.",
        "audience": "public",
        "state": "published",
    } | changes


def test_a_manager_writes_articles_of_their_website(manager: Client, website: Website) -> None:
    answer = manager.post("/admin/conversations/article/add/", form_of(website))
    assert answer.status_code == 302, answer.context["adminform"].errors
    made = Article.objects.get()
    assert made.text == "Retours\nSous 14 jours."
    changed = form_of(website, name="Renvois")
    manager.post(f"/admin/conversations/article/{made.pk}/change/", changed)
    made.refresh_from_db()
    assert made.text.startswith("Renvois")
    manager.post(f"/admin/conversations/article/{made.pk}/delete/", {"post": "yes"})
    assert not Article.objects.exists()


def test_a_manager_writes_none_for_another_website(manager: Client) -> None:
    form = form_of(WebsiteFactory())
    assert manager.post("/admin/conversations/article/add/", form).status_code == 200
    assert manager.post("/admin/conversations/article/preview/", form).status_code == 422
    assert not Article.objects.exists()


def test_the_preview_shows_what_is_typed_and_saves_nothing(
    manager: Client, website: Website
) -> None:
    answer = manager.post("/admin/conversations/article/preview/", form_of(website))
    html = answer.content.decode()
    assert "<em>14 jours</em>" in html
    assert "noindex" in html
    assert not Article.objects.exists()


def test_a_language_that_is_not_offered_is_refused(manager: Client, website: Website) -> None:
    form = form_of(website, language="klingon")
    assert manager.post("/admin/conversations/article/add/", form).status_code == 200
    assert not Article.objects.exists()
