"""Unanswered questions: recorded by bots, listed by topic for those who may read them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, Role, Website
from conversations.knowledge import unanswered
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import (
    Article,
    Author,
    CloseReason,
    Conversation,
    UnansweredQuestion,
)
from conversations.privacy import personal_data
from conversations.suggestions import learning
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, ArticleFactory, StepFactory, UserFactory, on_desk, queued
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
PAGE = "/admin/conversations/article/unanswered/"


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=20)


@pytest.fixture
def website(step: RuleStep) -> Website:
    return step.rule.website


def ask(step: RuleStep, *questions: str) -> list[Conversation]:
    talks = []
    for turn, text in enumerate(questions, start=1):
        talk = queued(step)
        talk.language = "fr"
        talk.save()
        unanswered.record(talk, text, turn=turn, at=NOW)
        talks.append(talk)
    return talks


def browser(role: str, groups: Sequence[Any] = ()) -> Client:
    user = UserFactory(role=role)
    user.managed_groups.set(groups)
    client = Client()
    log_in_freshly(client, user)
    return client


def topics(client: Client) -> list[tuple[str, int]]:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return [
        (topic.title.text, len(topic.questions)) for topic, _site, _link in answer.context["topics"]
    ]


def test_alike_questions_are_counted_with_their_conversations(step: RuleStep) -> None:
    talks = ask(step, "Gravez-vous les bagues ?", "gravez vous une bague svp", "Où êtes-vous ?")
    client = browser(Role.ADMIN)
    assert [count for _title, count in topics(client)] == [2, 1]
    html = client.get(PAGE).content.decode()
    for talk in talks:
        assert f"#{talk.pk}</a>" in html


def test_a_turn_that_is_repeated_asks_once(step: RuleStep) -> None:
    [talk] = ask(step, "Gravez-vous ?")
    unanswered.record(talk, "Gravez-vous ?", turn=1, at=NOW)
    unanswered.record(talk, "  ", turn=2, at=NOW)
    assert UnansweredQuestion.objects.count() == 1


def test_writing_begins_with_the_question_and_ends_the_topic(
    step: RuleStep, website: Website
) -> None:
    ask(step, "Gravez-vous les bagues ?")
    client = browser(Role.ADMIN)
    [(_topic, _site, link)] = client.get(PAGE).context["topics"]
    form = client.get(link).context["adminform"].form
    assert str(form["website"].value()) == str(website.pk)
    assert (form["language"].value(), form["name"].value()) == ("fr", "Gravez-vous les bagues ?")
    ArticleFactory(website=website, name="Graver une bague", body="Oui.", state="draft")
    assert len(topics(client)) == 1
    Article.objects.update(state="published")
    assert topics(client) == []


def talk_to_agent(step: RuleStep, agent: Agent, question: str, answer: str = "Oui.") -> None:
    talk = on_desk(step, agent, language="fr")
    for author, body in ((Author.VISITOR, question), (Author.AGENT, answer)):
        sending.add(talk.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)
    who = actors.agent(agent.user)
    verbs.close(talk.pk, reason=CloseReason.RESOLVED, actor=who, at=NOW)


def test_what_agents_are_asked_again_and_no_article_answers_is_a_topic(
    step: RuleStep, website: Website
) -> None:
    agent = AgentFactory(slots=20)
    step.group.members.add(agent)
    ArticleFactory(website=website, name="Retours", body="Sous 30 jours.", language="fr")
    for question in (
        "Gravez-vous les bagues ?",
        "Vous gravez une bague ?",
        "Bonjour, quelqu’un est là ?",
        "Comment faire des retours ?",
    ):
        talk_to_agent(step, agent, question)
    unanswered.record(queued(step), "Livrez-vous en Suisse ?", turn=1, at=NOW)
    client = browser(Role.ADMIN)
    learning.learn_all(at=NOW + timedelta(hours=1))
    learning.learn_all(at=NOW + timedelta(hours=2))
    texts = set(UnansweredQuestion.objects.filter(turn=0).values_list("text", flat=True))
    assert texts == {
        "Gravez-vous les bagues ?",
        "Vous gravez une bague ?",
        "Bonjour, quelqu’un est là ?",
    }
    # Asked once, it is a topic only if a bot was asked.
    assert sorted(count for _title, count in topics(client)) == [1, 2]
    page = client.get(PAGE, headers={"Accept-Language": "en"}).content.decode()
    assert page.count("(to an agent)") == 2


def test_without_articles_in_its_language_nothing_of_agents_is_recorded(
    step: RuleStep, website: Website
) -> None:
    agent = AgentFactory(slots=20)
    step.group.members.add(agent)
    ArticleFactory(website=website, name="Returns", body="In 30 days.", language="en")
    talk_to_agent(step, agent, "Gravez-vous les bagues ?")
    learning.learn_all(at=NOW + timedelta(hours=1))
    assert not UnansweredQuestion.objects.exists()


def test_managers_see_and_remove_only_what_they_may_read(step: RuleStep) -> None:
    ask(step, "Gravez-vous les bagues ?")
    other = StepFactory(places=20)
    ask(other, "Livrez-vous en Suisse ?")
    manager = browser(Role.MANAGER, [step.group])
    assert [title for title, _count in topics(manager)] == ["Gravez-vous les bagues ?"]
    ids = list(UnansweredQuestion.objects.values_list("pk", flat=True))
    assert manager.post(PAGE, {"question": [*ids, "x", "9" * 30]}).status_code == 302
    left = UnansweredQuestion.objects.values_list("text", flat=True)
    assert list(left) == ["Livrez-vous en Suisse ?"]


@pytest.mark.parametrize("role", [Role.AGENT, Role.EXPERT])
def test_agents_have_no_access(role: Role, step: RuleStep) -> None:
    ask(step, "Gravez-vous les bagues ?")
    client = browser(role)
    for answer in (client.get(PAGE), client.post(PAGE, {"question": "1"})):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_a_question_is_exported_and_erased_with_its_visitor(step: RuleStep) -> None:
    agent = AgentFactory()
    step.group.members.add(agent)
    talk = on_desk(step, agent)
    unanswered.record(talk, "Gravez-vous les bagues ?", turn=1, at=NOW)
    subject = personal_data.of_visitor(talk.visitor)
    [row] = personal_data.export(subject)["tables"]["conversations.unansweredquestion"]
    assert row["text"] == "Gravez-vous les bagues ?"
    who = actors.agent(agent.user)
    verbs.close(talk.pk, reason=CloseReason.RESOLVED, actor=who, at=NOW)
    personal_data.erase(subject, by=None, at=NOW)
    assert not UnansweredQuestion.objects.exists()
