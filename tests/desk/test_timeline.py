"""The lines between the messages: each ledger event, by whom and when, and the notes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import Agent, User
from conversations.agents import notes
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.actors import SYSTEM, VISITOR
from conversations.lifecycle.transitions import Status, Verb
from conversations.models import ActorKind, CloseReason, Event
from desk import timeline
from desk.timeline import ICONS, TimelineEntry, entries_for, entries_of, last_turns
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, in_status, on_desk, queued, with_bot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
HOUR = timedelta(hours=1)


@pytest.fixture
def bruno(step: RuleStep) -> Agent:
    bruno: Agent = AgentFactory(display_name="Bruno")
    step.group.members.add(bruno)
    return bruno


def sentences(number: int) -> list[str]:
    return [line.sentence for line in entries_of(number)]


def test_every_verb_except_the_initial_ones_has_an_icon() -> None:
    assert set(Verb) - set(ICONS) == {Verb.START_BOT, Verb.QUEUE}


def test_timeline_describes_changes_of_agent(
    step: RuleStep, agent: Agent, bruno: Agent, manager: User
) -> None:
    alice, marc = actors.agent(agent.user), actors.manager(manager)
    manager.first_name, manager.last_name = "Marc", "Fournier"
    manager.save()
    number = on_desk(step, agent).pk
    verbs.release(number, actor=marc, at=NOW + HOUR)
    verbs.push(number, agent=agent, at=NOW + 2 * HOUR)
    verbs.requeue(number, at=NOW + 3 * HOUR)
    verbs.push(number, agent=bruno, at=NOW + 4 * HOUR)
    verbs.release(number, actor=SYSTEM, at=NOW + 5 * HOUR)
    verbs.transfer_to_agent(number, agent=agent, actor=marc, at=NOW + 6 * HOUR)
    verbs.push(number, agent=agent, at=NOW + 6 * HOUR)
    verbs.transfer_to_group(
        number, group=step.group, queue_id=step.pk, actor=alice, at=NOW + 7 * HOUR
    )
    group = step.group.name
    assert sentences(number) == [
        "On the desk of Alice",
        f"Released from Alice by Marc Fournier: returned to the queue of {group}",
        "On the desk of Alice",
        f"Not answered in time by Alice: returned to the queue of {group}",
        "On the desk of Bruno",
        f"Released because Bruno lost the connection: returned to the queue of {group}",
        "Transferred to Alice by Marc Fournier",  # the push that follows at once adds no line
        f"Transferred to {group} by Alice",
    ]


def test_timeline_describes_pauses_and_returns(step: RuleStep, agent: Agent) -> None:
    alice = actors.agent(agent.user)
    number = in_status(Status.SNOOZED, step, agent).pk
    verbs.wake(number, actor=VISITOR, at=NOW + HOUR)
    verbs.push(number, agent=agent, at=NOW + HOUR)
    verbs.set_pending(number, actor=alice, at=NOW + 2 * HOUR)
    verbs.reopen(number, actor=VISITOR, at=NOW + 3 * HOUR)
    verbs.take(number, agent=agent, actor=alice, at=NOW + 3 * HOUR)
    verbs.set_on_hold(number, actor=alice, at=NOW + 4 * HOUR)
    verbs.reopen(number, actor=alice, at=NOW + 5 * HOUR)
    verbs.push(number, agent=agent, at=NOW + 6 * HOUR)  # not at once: it had to wait
    verbs.solve(number, actor=alice, at=NOW + 7 * HOUR)
    verbs.close(number, reason=CloseReason.WINDOW_OVER, actor=SYSTEM, at=NOW + 99 * HOUR)
    [first, *rest] = sentences(number)[1:]
    assert re.fullmatch(r"Snoozed by Alice until .*\d\d:\d\d, kept by Alice", first)
    assert rest == [
        "Snooze ended: the visitor replied",
        "Set to pending by Alice",
        "Reopened: the visitor replied",
        "Taken by Alice",
        "Put on hold by Alice",
        "Resumed by Alice",
        "On the desk of Alice",
        "Solved by Alice",
        "Closed automatically",
    ]


def test_timeline_describes_ends_of_snoozes(step: RuleStep, agent: Agent) -> None:
    number = in_status(Status.SNOOZED, step, agent, keep=False).pk
    verbs.wake(number, actor=SYSTEM, at=NOW + HOUR)
    assert f"returns to {step.group.name}" in sentences(number)[-2]
    assert sentences(number)[-1] == "Snooze expired, returned to the team"
    snoozed = in_status(Status.SNOOZED, step, agent).pk
    verbs.wake(snoozed, actor=actors.agent(agent.user), at=NOW + HOUR)
    assert sentences(snoozed)[-1] == "Snooze ended by Alice"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (TimelineEntry(1, Verb.CLOSE, NOW, ActorKind.VISITOR), "Closed by the visitor"),
        (TimelineEntry(1, Verb.CLOSE, NOW, ActorKind.BOT), "Closed by the bot"),
        (TimelineEntry(1, Verb.CLOSE, NOW, ActorKind.AGENT, by="Eve"), "Closed by Eve"),
        (
            TimelineEntry(1, Verb.CLOSE, NOW, ActorKind.AGENT, by="Eve", reason="blocked"),
            "Visitor blocked and conversation closed by Eve",
        ),
        (
            TimelineEntry(1, Verb.EXPIRE, NOW, ActorKind.SYSTEM, from_="Eve", group="G"),
            "Not taken in time by Eve: returned to the queue of G",
        ),
        (
            TimelineEntry(1, Verb.DROP_SKILLS, NOW, ActorKind.SYSTEM, group="G"),
            "No agent with the skill was free in time: anyone in G can take it",
        ),
        (
            TimelineEntry(1, Verb.UNASSIGN, NOW, ActorKind.SYSTEM, from_="Eve", group="G"),
            "Returned to G: Eve can no longer take it",
        ),
        (
            TimelineEntry(1, Verb.REOPEN_TO_GROUP, NOW, ActorKind.VISITOR),
            "Reopened: the visitor replied",
        ),
        (
            TimelineEntry(1, Verb.ESCALATE, NOW, ActorKind.BOT, group="G"),
            "Handed over by the bot to G",
        ),
        (TimelineEntry(1, Verb.TAKE, NOW, ActorKind.AGENT, to="100 %(x)s"), "Taken by 100 %(x)s"),
        # the agent was erased since
        (TimelineEntry(1, Verb.SOLVE, NOW, ActorKind.AGENT), "Solved by someone"),
    ],
)
def test_entry_sentence_is_translated(line: TimelineEntry, sentence: str) -> None:
    assert line.sentence == sentence
    with translation.override("fr"):
        assert line.sentence != sentence


def test_start_with_a_bot_has_no_entry(step: RuleStep) -> None:
    conversation = with_bot(step)
    assert sentences(conversation.pk) == []


def test_immediate_push_to_the_same_agent_is_omitted(agent: Agent, bruno: Agent) -> None:
    def event(pk: int, verb: Verb, whose: Agent, at: datetime, status: Status) -> Event:
        return Event(pk=pk, verb=verb, at=at, actor_kind="system", agent=whose, to_status=status)

    given = event(1, Verb.TRANSFER_TO_AGENT, agent, NOW, Status.ASSIGNED)
    for whose, seconds, count in ((agent, 1, 1), (agent, 60, 2), (bruno, 1, 2)):
        push = event(2, Verb.PUSH, whose, NOW + timedelta(seconds=seconds), Status.ACTIVE)
        assert len(entries_for([given, push], {})) == count


def test_fragment_contains_events_and_notes_with_times(
    browser: Callable[[User], Client], step: RuleStep, agent: Agent, bruno: Agent
) -> None:
    number = on_desk(step, agent).pk
    notes.write(number, agent_id=bruno.pk, body="<i>regular</i>", at=NOW + HOUR)
    shown = browser(agent.user).get(f"/desk/c/{number}/").content.decode()
    [asides] = re.findall(rf'<ol id="asides-{number}" data-asides hidden>(.*?)</ol>', shown, re.S)
    assert len(re.findall(r'<li id="event-\d+" data-at="\d{4}-[^"]+" class="event">', asides)) == 1
    assert len(re.findall(r'<li id="note-of-\d+" data-at="\d{4}-[^"]+" class="note">', asides)) == 1
    assert "On the desk of Alice" in asides
    assert "&lt;i&gt;regular&lt;/i&gt;" in asides
    assert "visible only to the team" in asides


def test_release_is_in_the_history_and_counted_in_past_conversations(
    browser: Callable[[User], Client], step: RuleStep, agent: Agent
) -> None:
    first, second = on_desk(step, agent), queued(step)
    second.visitor = first.visitor
    second.save()
    verbs.release(first.pk, actor=SYSTEM, at=NOW + HOUR)
    client = browser(agent.user)
    [history] = re.findall(
        r'<ul class="turns">(.*?)</ul>',
        client.get(f"/desk/c/{first.pk}/toolbar/").content.decode(),
        re.S,
    )
    assert "Alice lost the connection" in history
    assert "On the desk" not in history
    beside = client.get(f"/desk/c/{second.pk}/toolbar/").content.decode()
    assert "released once" in beside


def test_long_timeline_takes_two_queries_and_history_is_limited(
    step: RuleStep, agent: Agent, django_assert_num_queries: Any
) -> None:
    number, at = on_desk(step, agent).pk, NOW
    for _ in range(10):
        at += HOUR
        verbs.release(number, actor=actors.manager(agent.user), at=at)
        verbs.push(number, agent=agent, at=at)
    with django_assert_num_queries(2):
        lines = entries_of(number)
        assert all(line.sentence and line.icon for line in lines)
    assert len(lines) == 21
    turns = last_turns(lines)
    assert len(turns) == timeline.TURNS
    assert turns == sorted(turns, key=lambda line: line.pk)
    assert turns[-1].pk == lines[-2].pk
