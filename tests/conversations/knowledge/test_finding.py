"""Finding articles by the words of a search, and by a visitor's question."""

from __future__ import annotations

import pytest

from accounts.models import Role, Website
from conversations.knowledge import articles, finding
from conversations.models import Article, ArticleState, Audience
from tests.factories import AgentFactory, ArticleFactory, GroupFactory, UserFactory, WebsiteFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return WebsiteFactory()


@pytest.fixture
def returns(website: Website) -> Article:
    return ArticleFactory(
        website=website,
        name="Retourner un article",
        body="Vous disposez de **14 jours** pour nous renvoyer un bijou.\n\n"
        "Le remboursement arrive sous une semaine sur votre carte.",
    )


@pytest.fixture
def delivery(website: Website) -> Article:
    return ArticleFactory(
        website=website,
        name="Délais de livraison",
        body="Nous livrons en 48 heures en France, en une semaine ailleurs.",
    )


@pytest.fixture
def sister(website: Website) -> Article:
    return ArticleFactory(website=website, name="Sœurs et cœurs", body="Nos bagues à offrir.")


@pytest.mark.usefixtures("returns", "delivery")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("delai livraisons", {"Délais de livraison"}),
        ("DÉLAIS", {"Délais de livraison"}),
        ("soeur", {"Sœurs et cœurs"}),
        ("cœur bague", {"Sœurs et cœurs"}),
        ("semaine", {"Retourner un article", "Délais de livraison"}),
        ("semaine carte", {"Retourner un article"}),
        ("hélicoptère", set()),
    ],
)
def test_a_search_finds_all_its_words_however_they_are_typed(
    website: Website, sister: Article, words: str, names: set[str]
) -> None:
    rows = finding.search(articles.public_of(website), words)
    assert {row.name for row in rows} == names


def test_a_search_uses_its_index(website: Website) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = finding.search(Article.objects.order_by(), "livraison").explain()
    assert "articles_by_words" in plan


@pytest.mark.usefixtures("sister")
@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Bonjour, quel est le délai pour livrer ?", "Délais de livraison"),
        ("comment retourner des articles svp", "Retourner un article"),
        ("En combien de temps le remboursement arrive sur ma carte ?", "Retourner un article"),
    ],
)
def test_a_question_finds_articles_by_their_stems(
    website: Website, returns: Article, delivery: Article, question: str, name: str
) -> None:
    found = finding.matching(articles.public_of(website), question, "fr-CA")
    assert found
    assert found[0].article.name == name
    assert all(0 < one.score <= 1 for one in found)


@pytest.mark.usefixtures("returns", "delivery", "sister")
@pytest.mark.parametrize(
    "question",
    [
        "",
        "??",
        "Puis-je payer en bitcoins ?",
        "le la les de",
        "Un hélicoptère traverse l'Espagne en une semaine",
        "x' | y:* & !z \\ \x01",
    ],
)
def test_a_question_about_something_else_finds_nothing(website: Website, question: str) -> None:
    assert finding.matching(articles.public_of(website), question, "fr") == []
    assert finding.answer(website, question, "fr") is None


def test_an_answer_is_a_passage_as_it_is_written(website: Website, returns: Article) -> None:
    found = finding.answer(website, "Quand arrive le remboursement ?", "fr")
    assert found is not None
    assert found.article == returns
    assert found.text == "Le remboursement arrive sous une semaine sur votre carte."


def test_a_heading_belongs_to_its_passages(website: Website) -> None:
    body = "Bienvenue.\n\n## Gravure\n\nSous dix jours.\n\n## Rayures\n\nNous polissons."
    ArticleFactory(website=website, name="Nos services", body=body)
    found = finding.answer(website, "gravure", "fr")
    assert found is not None
    assert found.text == "Sous dix jours."
    lead = finding.answer(website, "vos services ?", "fr")
    assert lead is not None
    assert lead.text == "Bienvenue."


@pytest.mark.parametrize(
    "hidden",
    [{"audience": Audience.AGENTS}, {"state": ArticleState.DRAFT}, {"language": "en"}, {}],
)
def test_visitors_get_no_answer_from_what_is_not_theirs(
    website: Website, hidden: dict[str, str]
) -> None:
    other = WebsiteFactory()
    body = "Le remboursement arrive sous une semaine."
    ArticleFactory(website=website if hidden else other, name="Remboursement", body=body, **hidden)
    assert finding.answer(website, "remboursement", "fr") is None
    ArticleFactory(website=website, name="Remboursement", body=body)
    assert finding.answer(website, "remboursement", "fr") is not None


def test_agents_read_the_articles_of_their_websites(website: Website) -> None:
    own = ArticleFactory(website=website, audience=Audience.AGENTS)
    foreign = ArticleFactory()
    ArticleFactory(website=website, state=ArticleState.DRAFT)
    agent = AgentFactory()
    assert list(articles.readable_by(agent.user)) == []
    GroupFactory(website=website).members.add(agent)
    assert list(articles.readable_by(agent.user)) == [own]
    manager = UserFactory(role=Role.MANAGER)
    manager.managed_groups.add(GroupFactory(website=foreign.website))
    assert list(articles.readable_by(manager)) == [foreign]


def test_a_changed_article_is_found_by_its_new_words(website: Website, delivery: Article) -> None:
    delivery.body = "Le coursier passe le samedi."
    articles.save(delivery, at=delivery.changed_at)
    public = articles.public_of(website)
    assert list(finding.search(public, "coursier")) == [delivery]
    assert list(finding.search(public, "48 heures")) == []
    assert finding.matching(public, "Le coursier passe quand ?", "fr")[0].article == delivery
