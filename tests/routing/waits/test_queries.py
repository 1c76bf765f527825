"""The queries that explain a wait: ranks, queues, people; a constant number of them."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from accounts.models import Agent, AgentChannel, Channel, Skill
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation
from routing.models import RuleStep
from routing.waits import queries
from routing.waits.reasons import Explanation
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, connect, in_status, on_desk, queued

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    cache.clear()


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=2, group__name="Conseil", rule__name="Accueil")


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice", slots=1)
    step.group.members.add(agent)
    return agent


def why(*conversations: Conversation, after: timedelta = MINUTE) -> list[Explanation]:
    some = Conversation.objects.filter(pk__in=[one.pk for one in conversations])
    return queries.explained(some, at=NOW + after, zone=PARIS)


def test_rank_is_the_position_in_the_group(step: RuleStep) -> None:
    other_rule = StepFactory(group=step.group, rule__website=step.rule.website)
    later = queued(step, at=NOW + 2 * MINUTE)
    first = queued(step, at=NOW)
    between = queued(other_rule, at=NOW + MINUTE)
    queued(StepFactory(), at=NOW)
    queued(step, at=NOW, channel=Channel.MESSAGING)
    explanations = why(later, first, between)
    assert [(one.number, one.rank) for one in explanations] == [
        (first.pk, 1),
        (between.pk, 2),
        (later.pk, 3),
    ]


def test_fill_counts_waiting_and_returned_conversations(step: RuleStep, agent: Agent) -> None:
    for minute in (1, 2):
        queued(step, at=NOW + minute * MINUTE)
    returned = on_desk(step, agent, at=NOW)
    verbs.release(returned.pk, actor=actors.SYSTEM, at=NOW + 5 * MINUTE)
    [explanation] = why(returned, after=10 * MINUTE)
    assert explanation.fill_text == "3/2, 1 returned"
    assert (explanation.fill.rule, explanation.fill.group) == ("Accueil", "Conseil")
    assert explanation.rank == 1, "it kept its former rank"


def test_fill_without_a_queue_counts_transfers_to_the_group(step: RuleStep, agent: Agent) -> None:
    other = StepFactory(rule=step.rule).group
    RuleStep.objects.filter(group=other).delete()
    conversation = on_desk(step, agent)
    verbs.transfer_to_group(
        conversation.pk, group=other, queue_id=None, actor=actors.agent(agent.user), at=NOW
    )
    [explanation] = why(conversation)
    assert (explanation.fill.group, explanation.fill_text) == (other.name, "1, 1 returned")


def test_candidates_are_members_and_free_agents_of_the_website(
    step: RuleStep, agent: Agent
) -> None:
    """The members, whatever stops them; of others only those who lack nothing but membership."""
    here = StepFactory(rule=step.rule).group
    free, busy, away = (AgentFactory(display_name=name) for name in ("Free", "Busy", "Away"))
    here.members.add(free, busy, away)
    stranger = AgentFactory(display_name="Stranger")
    StepFactory().group.members.add(stranger)
    for someone in (free, busy, stranger):
        connect(someone)
    AgentChannel.objects.filter(agent=busy).update(is_available=False)
    [explanation] = why(queued(step), after=timedelta(seconds=1))
    assert [
        (one.name, [reason.code for reason in one.reasons]) for one in explanation.candidates
    ] == [
        ("Alice", ["offline"]),
        ("Free", ["not_a_member"]),
    ]


def test_an_assigned_conversation_names_only_its_agent(step: RuleStep, agent: Agent) -> None:
    step.group.members.add(AgentFactory(display_name="Bruno"))
    first = in_status(Status.ASSIGNED, step, agent)
    second = in_status(Status.ASSIGNED, step, agent, at=NOW + MINUTE)
    one, two = why(first, second)
    assert [one.name for one in two.candidates] == ["Alice"]
    assert (one.rank, two.rank) == (1, 2)
    assert two.time_left == timedelta(hours=24)


def test_missing_skills_are_named(step: RuleStep, agent: Agent) -> None:
    skill = Skill.objects.create(website=step.rule.website, name="français")
    conversation = queued(step)
    Conversation.objects.filter(pk=conversation.pk).update(required_skills=[skill.pk])
    [explanation] = why(conversation)
    assert "lacks the skill français" in [one.text for one in explanation.candidates[0].reasons]
    agent.skills.add(skill)
    [explanation] = why(conversation)
    assert [one.code for one in explanation.candidates[0].reasons] == ["offline"]


def test_only_waiting_conversations_are_explained(step: RuleStep, agent: Agent) -> None:
    assert why(*(in_status(status, step, agent) for status in Status if status not in WAITS)) == []


WAITS = {Status.QUEUED, Status.ASSIGNED}


def test_a_fault_is_reported_after_a_delay_until_it_ends(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    connect(agent)
    all_of_them = Conversation.objects.all()
    assert queries.faults(all_of_them, at=NOW) == ([], True)
    [explanation] = why(conversation, after=timedelta(seconds=4))
    assert not explanation.is_fault
    assert queries.faults(all_of_them, at=NOW + timedelta(seconds=5)) == ([conversation.pk], False)
    [explanation] = why(conversation, after=timedelta(seconds=6))
    assert explanation.is_fault
    AgentChannel.objects.filter(agent=agent).update(is_available=False)
    assert queries.faults(all_of_them, at=NOW + timedelta(seconds=7)) == ([], False)


def test_faults_outside_the_selection_are_not_reported(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    connect(agent)
    elsewhere = Conversation.objects.exclude(pk=conversation.pk)
    queries.faults(elsewhere, at=NOW)
    assert queries.faults(elsewhere, at=NOW + timedelta(seconds=30)) == ([], False)


@pytest.mark.parametrize("count", [1, 4])
def test_explaining_takes_the_same_queries_for_one_and_for_four(
    step: RuleStep, count: int, django_assert_num_queries: Any
) -> None:
    skill = Skill.objects.create(website=step.rule.website, name="français")
    for n in range(count):
        agent = AgentFactory()
        other = StepFactory(rule=step.rule)
        other.group.members.add(agent)
        connect(agent)
        AgentChannel.objects.filter(agent=agent).update(slots=n)
        in_status(Status.ASSIGNED, other, agent)
        queued(other)
    Conversation.objects.update(required_skills=[skill.pk])
    with django_assert_num_queries(8):
        explanations = queries.explained(Conversation.objects.all(), at=NOW, zone=PARIS)
    assert len(explanations) == 2 * count


@pytest.mark.usefixtures("clock")
def test_the_command_explains_a_waiting_conversation(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    output = StringIO()
    call_command("why", f"#{conversation.pk}", stdout=output)
    text = output.getvalue()
    assert (
        f"#{conversation.pk} queued: No one in the group Conseil can take it at the moment" in text
    )
    assert "Accueil → Conseil: 1/2" in text
    assert "- Alice: offline" in text
    assert "> Alice opens the desk." in text


def test_the_command_reports_conversations_that_do_not_wait(step: RuleStep, agent: Agent) -> None:
    output = StringIO()
    call_command("why", str(on_desk(step, agent).pk), stdout=output)
    assert "does not wait: On a desk." in output.getvalue()
    with pytest.raises(CommandError, match="Conversation #99 does not exist"):
        call_command("why", "99")
