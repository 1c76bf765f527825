"""The report on deflection: what articles and bots answered without people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Role
from accounts.supervision import EVERYTHING
from conversations.knowledge import uses
from conversations.lifecycle import actors, deadlines, verbs
from conversations.models import Article, CloseReason, Conversation
from reporting import figures
from reporting.figures import answers
from reporting.figures.period import Period
from reporting.figures.scope import Filters, Scope
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import ArticleFactory, StepFactory, UserFactory, queued, with_bot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
DAY = timedelta(days=1)


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=9)


@pytest.fixture
def article(step: RuleStep) -> Article:
    return ArticleFactory(website=step.rule.website, name="Refunds", language="en")


def values(step: RuleStep, **filters: object) -> dict[str, object]:
    today = NOW.date()
    scope = Scope(
        (step.rule.website,),
        Period(today, today + DAY),
        supervised=EVERYTHING,
        filters=Filters(**filters),  # type: ignore[arg-type]
    )
    total = answers.total(figures.of("deflection"), scope)
    return {name: answer.value for name, answer in total.items()}


def contained(step: RuleStep) -> Conversation:
    one = with_bot(step, at=NOW)
    return verbs.close(one.pk, reason=CloseReason.BOT_ENDED, actor=actors.BOT, at=NOW)


def silent(step: RuleStep) -> Conversation:
    one = with_bot(step, at=NOW)
    Conversation.objects.filter(pk=one.pk).update(deadline_at=NOW)
    return deadlines.enforce(one.pk, at=NOW)


def passed_on(step: RuleStep) -> Conversation:
    one = with_bot(step, at=NOW)
    verbs.escalate(one.pk, group_id=step.group_id, queue_id=step.pk, actor=actors.BOT, at=NOW)
    return one


def test_each_conversation_of_a_bot_counts_once(step: RuleStep) -> None:
    for _n in range(3):
        contained(step)
    silent(step)
    queued(step, at=NOW)
    passed_on(step)  # It is not closed yet: it counts nowhere.
    found = values(step)
    counted = [found[name] for name in ("bot_begun", "bot_contained", "bot_silent")]
    assert counted == [4, 3, 1]
    assert found["bot_passed_on"] == 0


def test_answers_of_articles_count_by_day_and_language(step: RuleStep, article: Article) -> None:
    for _n in range(3):
        uses.count_read(article, at=NOW)
    uses.count_answer(article, at=NOW)
    uses.count_answer(article, at=NOW - DAY)
    expected = {"articles_answered": 1.0, "articles_read": 3.0}
    assert values(step).items() >= expected.items()
    assert values(step, language="en").items() >= expected.items()
    assert values(step, language="fr")["articles_read"] == 0
    # An article belongs to no rule.
    assert values(step, rule=step.rule.pk)["articles_read"] == 0


def test_the_figures_open_their_conversations_and_articles(
    step: RuleStep, article: Article
) -> None:
    manager = UserFactory(role=Role.MANAGER, language="en")
    step.group.managers.add(manager)
    client = Client()
    client.force_login(manager)
    one = contained(step)
    uses.count_answer(article, at=NOW)
    page = client.get("/reports/deflection/?period=today").content.decode()
    assert "Questions answered by articles" in page
    assert "Contained by a bot" in page
    rows = client.get("/reports/rows/bot_contained/?period=today").content.decode()
    assert f"/desk/c/{one.pk}/" in rows
    rows = client.get("/reports/rows/articles_answered/?period=today").content.decode()
    assert "Refunds" in rows
