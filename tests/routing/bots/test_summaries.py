"""What a bot learnt, for the agent: questions with their answers, and values without a question."""

from __future__ import annotations

import pytest
from django.test import Client

from routing.actions import escalation
from routing.bots.summaries import Line, summary_of
from routing.models import BotRun, BotVersion, ProgramRun
from tests.clock import NOW
from tests.factories import AgentFactory, BotFactory, connect
from tests.routing.bots.program_scene import start, step_with
from tests.routing.bots.scenarios import ask, people, plan
from tests.routing.bots.test_runner import start as start_scenario
from tests.routing.bots.test_runner import step_of, work, write

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "durable_wires"),
]

VALUES = {"id": "values", "kind": "set", "data": {"source": "shop"}, "next": "people"}


def test_the_agent_reads_each_question_with_its_answer(client: Client) -> None:
    number = ask("number", "pattern", "values", pattern="CM-####", name="order")
    step = step_of(dict(plan(number, VALUES, people()).data))
    agent = AgentFactory()
    step.group.members.add(agent)
    connect(agent)
    conversation = start_scenario(step)
    write(conversation, "cm-1234")
    work()
    lines = [Line("number?", "CM-1234"), Line("source", "shop")]
    assert summary_of(conversation, language="en") == lines
    client.force_login(agent.user)
    page = client.get(f"/desk/c/{conversation.pk}/")
    assert page.context["summary"]["lines"] == lines
    assert "<dt>number?</dt><dd>CM-1234</dd>" in page.content.decode()


def test_a_scenario_may_keep_its_summary_to_itself() -> None:
    number = ask("number", "pattern", "people", pattern="CM-####", name="order")
    step = step_of(dict(plan(number, people(summary=False)).data))
    conversation = start_scenario(step)
    write(conversation, "cm-1234")
    work()
    assert BotRun.objects.get().state["values"] == {"order": "CM-1234"}
    assert summary_of(conversation, language="en") == []


def test_values_of_a_program_are_its_summary() -> None:
    conversation = start(step_with("https://bot.example/"))
    assert summary_of(conversation, language="en") == []
    bot = conversation.rule.bot
    ProgramRun.objects.create(
        conversation=conversation, bot=bot, values={"order": "CM-1"}, began_at=NOW
    )
    assert escalation.escalate(conversation.pk, at=NOW)
    assert summary_of(conversation, language="en") == [Line("order", "CM-1")]


def test_a_step_that_the_version_no_longer_has_is_left_out() -> None:
    step = step_with("https://bot.example/")
    conversation = start(step)
    version = BotVersion.objects.create(
        bot=BotFactory(website=step.rule.website),
        number=1,
        scenario=dict(plan(people()).data),
        published_at=NOW,
    )
    BotRun.objects.create(
        conversation=conversation,
        version=version,
        state={"values": {"order": "CM-1"}},
        turns=1,
        trail=["gone", "people"],
        began_at=NOW,
    )
    assert summary_of(conversation, language="fr") == [Line("order", "CM-1")]
