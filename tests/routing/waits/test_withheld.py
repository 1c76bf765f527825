"""An available agent without conversations sees the reasons and the remedies."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import Agent, AgentChannel
from conversations.lifecycle import actors, verbs
from routing.models import RuleStep
from routing.waits import withheld
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    SkillFactory,
    StepFactory,
    connect,
    on_desk,
    queued,
)

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)


@pytest.fixture
def step() -> RuleStep:
    step: RuleStep = StepFactory(group__name="Support")
    return step


@pytest.fixture
def alice(step: RuleStep) -> Agent:
    alice: Agent = AgentFactory(slots=2)
    step.group.members.add(alice)
    connect(alice)
    return alice


def sentences_for(agent: Agent, language: str = "en") -> list[str]:
    with translation.override(language):
        return withheld.sentences(agent, at=NOW, zone=PARIS)


def test_a_conversation_about_to_be_pushed_is_not_explained(step: RuleStep, alice: Agent) -> None:
    queued(step)
    assert sentences_for(alice) == []


def test_a_closed_group_is_named_with_its_opening_time(step: RuleStep, alice: Agent) -> None:
    queued(step)
    queued(step)
    step.group.is_open, step.group.hours_change_at = False, NOW + 3 * HOUR
    step.group.save()
    # Nine in UTC is ten in Paris.
    assert sentences_for(alice) == [
        "2 conversations are waiting for Support, which opens at 13:00."
    ]
    assert sentences_for(alice, "fr") == ["2 conversations attendent Support, qui ouvre à 13:00."]
    step.group.hours_change_at = None
    step.group.save()
    assert sentences_for(alice)[0].endswith(
        "which is closed. A manager can change its opening hours."
    )


def test_a_missing_skill_is_named(step: RuleStep, alice: Agent) -> None:
    german = SkillFactory(website=step.rule.website, name="German")
    queued(step, required_skills=[german.pk])
    assert sentences_for(alice) == [
        "1 conversation is waiting for an agent with German. A manager can add this to your skills."
    ]
    alice.skills.add(german)
    assert sentences_for(alice) == []


def test_other_groups_are_named_only_on_the_same_website(step: RuleStep, alice: Agent) -> None:
    billing = GroupFactory(website=step.rule.website, name="Billing")
    queued(StepFactory(rule=step.rule, group=billing))
    queued(StepFactory())
    assert sentences_for(alice) == [
        "1 conversation is waiting for Billing, but you are not a member. A manager can add you."
    ]


def test_a_conversation_assigned_to_a_colleague_is_mentioned(step: RuleStep, alice: Agent) -> None:
    bruno = AgentFactory()
    step.group.members.add(bruno)
    verbs.transfer_to_agent(queued(step).pk, agent=bruno, actor=actors.agent(alice.user), at=NOW)
    assert sentences_for(alice) == [
        "1 conversation is assigned to a colleague and is waiting for them."
    ]
    assert sentences_for(bruno) == []


def test_full_and_unavailable_agents_get_no_explanation(step: RuleStep, alice: Agent) -> None:
    billing = GroupFactory(website=step.rule.website)
    queued(StepFactory(rule=step.rule, group=billing))
    assert len(sentences_for(alice)) == 1
    for _ in range(2):
        on_desk(step, alice)
    assert sentences_for(alice) == []  # orange: full
    AgentChannel.objects.filter(agent=alice).update(slots=3)
    assert len(sentences_for(alice)) == 1
    AgentChannel.objects.filter(agent=alice).update(is_available=False)
    assert sentences_for(alice) == []


@pytest.mark.usefixtures("clock")
def test_the_desk_shows_the_explanation(step: RuleStep, alice: Agent, client: Client) -> None:
    client.force_login(alice.user)
    assert client.get("/desk/withheld/").content == b""
    queued(StepFactory(rule=step.rule, group=GroupFactory(website=step.rule.website)))
    page = client.get("/desk/withheld/").content.decode()
    assert "but you are not a member" in page or "dont vous n’êtes pas membre" in page
    assert 'hx-get="/desk/withheld/"' in client.get("/desk/").content.decode()
