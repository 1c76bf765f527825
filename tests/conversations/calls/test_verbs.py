"""Calls as rows: who rang, who answered in which tab, when it ended, and what follows."""

from __future__ import annotations

import re
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts.models import Agent, AgentChannel, Website
from conversations import tasks
from conversations.calls import verbs
from conversations.calls.decisions import Obstacle
from conversations.calls.states import NoSuchStep, Side
from conversations.calls.verbs import CannotCall, Quality
from conversations.facts import CallChanged
from conversations.lifecycle import actors
from conversations.lifecycle import verbs as lifecycle
from conversations.models import Call, CloseReason, Conversation, Notice
from conversations.privacy import personal_data
from core.events import bus
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db
TAB, OTHER_TAB, THIRD_TAB = (uuid.UUID(int=n) for n in (1, 2, 3))
NOTHING = Quality()


def seconds(n: float) -> Any:
    return NOW + timedelta(seconds=n)


@pytest.fixture
def website(step: RuleStep) -> Website:
    website = step.rule.website
    website.calls = "video"
    website.save()
    return website


@pytest.fixture
def conversation(website: Website, step: RuleStep, agent: Agent) -> Conversation:
    AgentChannel.objects.filter(agent=agent, channel="chat").update(is_available=True)
    return on_desk(step, agent, visitor=VisitorFactory(website=website, agrees=True))


def ring(conversation: Conversation, by: Side = Side.VISITOR, **how: Any) -> Call:
    given: dict[str, Any] = {
        "by": by,
        "agent_id": conversation.agent_id if by == Side.AGENT else None,
        "tab": TAB,
        "with_video": False,
        "is_there": True,
        "at": NOW,
    }
    return verbs.begin(conversation.pk, **(given | how))


def answered(conversation: Conversation, by: Side = Side.VISITOR) -> Call:
    call = ring(conversation, by)
    return verbs.answer(call.public_id, by=by.other, tab=OTHER_TAB, at=seconds(5))


def refused(conversation: Conversation, **how: Any) -> Obstacle:
    with pytest.raises(CannotCall) as refusal:
        ring(conversation, **how)
    return refusal.value.obstacle


def now(call: Call) -> Call:
    return Call.objects.get(pk=call.pk)


def test_a_call_says_who_when_and_for_how_long(conversation: Conversation, agent: Agent) -> None:
    call = answered(conversation)
    verbs.end(call.public_id, by=Side.AGENT, at=seconds(65))
    over = now(call)
    assert (over.agent, over.begun_by, over.status, over.end) == (
        agent,
        "visitor",
        "ended",
        "hung_up",
    )
    assert over.ended_by == "agent"
    assert (over.rang_for, over.lasted) == (timedelta(seconds=5), timedelta(minutes=1))


def test_only_where_the_website_wants_it(website: Website, conversation: Conversation) -> None:
    website.calls = "voice"
    website.save()
    assert refused(conversation, with_video=True) == Obstacle.NO_VIDEO
    assert ring(conversation).status == "ringing"
    website.calls = "off"
    website.save()
    assert refused(conversation) == Obstacle.OFF


def test_one_call_at_a_time_in_a_conversation(conversation: Conversation) -> None:
    call = ring(conversation)
    assert refused(conversation, by=Side.AGENT) == Obstacle.ONGOING
    verbs.end(call.public_id, by=Side.VISITOR, at=seconds(1))
    assert ring(conversation, Side.AGENT, at=seconds(2)).status == "ringing"


def test_one_call_at_a_time_for_an_agent(
    conversation: Conversation, step: RuleStep, agent: Agent, website: Website
) -> None:
    ring(conversation)
    other = on_desk(step, agent, visitor=VisitorFactory(website=website, agrees=True))
    assert refused(other) == Obstacle.BUSY


def test_one_call_at_a_time_for_a_visitor(conversation: Conversation, step: RuleStep) -> None:
    ring(conversation)
    colleague = AgentFactory()
    step.group.members.add(colleague)
    other = on_desk(step, colleague, visitor=conversation.visitor)
    assert refused(other, by=Side.AGENT) == Obstacle.BUSY


def test_the_called_side_must_be_there(conversation: Conversation) -> None:
    assert refused(conversation, is_there=False) == Obstacle.AWAY


def test_a_colleague_cannot_call(conversation: Conversation) -> None:
    assert refused(conversation, by=Side.AGENT, agent_id=AgentFactory().pk) == Obstacle.NOT_YOURS


def test_nobody_calls_while_it_waits(conversation: Conversation, agent: Agent) -> None:
    lifecycle.release(conversation.pk, actor=actors.manager(agent.user), at=NOW)
    conversation.refresh_from_db()
    assert refused(conversation) == Obstacle.NOT_ON_DESK


def test_withdrawn_consent_forbids_calls(conversation: Conversation) -> None:
    conversation.visitor.withdrawn_at = NOW
    conversation.visitor.save()
    assert refused(conversation) == Obstacle.NO_CONSENT


def test_the_caller_cannot_answer(conversation: Conversation) -> None:
    call = ring(conversation)
    with pytest.raises(NoSuchStep):
        verbs.answer(call.public_id, by=Side.VISITOR, tab=TAB, at=NOW)


def test_the_first_tab_that_answers_has_the_call(conversation: Conversation) -> None:
    call = answered(conversation)
    with pytest.raises(NoSuchStep):
        verbs.answer(call.public_id, by=Side.AGENT, tab=THIRD_TAB, at=seconds(6))
    assert now(call).agent_tab == OTHER_TAB
    assert not verbs.renew(
        call.public_id, by=Side.AGENT, tab=THIRD_TAB, quality=NOTHING, at=seconds(6)
    )


@pytest.mark.parametrize(
    ("by", "status", "end"),
    [(Side.AGENT, "declined", "declined"), (Side.VISITOR, "missed", "cancelled")],
)
def test_declined_and_cancelled_while_it_rings(
    conversation: Conversation, by: Side, status: str, end: str
) -> None:
    call = ring(conversation)
    verbs.end(call.public_id, by=by, at=seconds(3))
    assert (now(call).status, now(call).end, now(call).lasted) == (status, end, None)


def test_a_call_that_could_not_be_connected(conversation: Conversation) -> None:
    call = answered(conversation)
    verbs.end(call.public_id, by=Side.VISITOR, at=seconds(20), failed=True)
    assert (now(call).status, now(call).end) == ("failed", "failed")


def test_what_is_over_cannot_end_again(conversation: Conversation) -> None:
    call = ring(conversation)
    verbs.end(call.public_id, by=Side.AGENT, at=seconds(3))
    with pytest.raises(NoSuchStep):
        verbs.end(call.public_id, by=Side.VISITOR, at=seconds(4))


def test_it_stops_ringing_in_time_and_once(conversation: Conversation) -> None:
    call = ring(conversation)
    assert verbs.past(seconds(29)) == []
    assert not verbs.enforce(call.public_id, at=seconds(29))
    assert verbs.past(seconds(30)) == [call.public_id]
    assert verbs.enforce(call.public_id, at=seconds(30))
    assert (now(call).status, now(call).end) == ("missed", "no_answer")
    assert not verbs.enforce(call.public_id, at=seconds(31))


def test_unanswered_in_a_group_with_a_timer_it_goes_back_to_the_queue(
    conversation: Conversation, step: RuleStep, agent: Agent
) -> None:
    step.group.answer_seconds = 60
    step.group.save()
    call = ring(conversation)
    verbs.enforce(call.public_id, at=seconds(30))
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == ("queued", None)
    assert not AgentChannel.objects.get(agent=agent, channel="chat").is_available
    assert Notice.objects.get(agent=agent).kind == "unanswered"


def test_unanswered_elsewhere_it_stays_on_the_desk(conversation: Conversation) -> None:
    call = ring(conversation)
    verbs.enforce(call.public_id, at=seconds(30))
    conversation.refresh_from_db()
    assert conversation.status == "active"


def test_a_visitor_who_does_not_answer_changes_nothing_else(
    conversation: Conversation, step: RuleStep
) -> None:
    step.group.answer_seconds = 60
    step.group.save()
    call = ring(conversation, Side.AGENT)
    verbs.enforce(call.public_id, at=seconds(30))
    conversation.refresh_from_db()
    assert (now(call).status, conversation.status) == ("missed", "active")


def test_a_side_may_be_silent_for_half_a_minute(conversation: Conversation) -> None:
    call = answered(conversation)  # at 5 s
    verbs.renew(call.public_id, by=Side.AGENT, tab=OTHER_TAB, quality=NOTHING, at=seconds(25))
    assert not verbs.enforce(call.public_id, at=seconds(34))
    verbs.resume(call.public_id, by=Side.VISITOR, tab=TAB, at=seconds(34))  # loaded again
    assert not verbs.enforce(call.public_id, at=seconds(54))
    assert verbs.enforce(call.public_id, at=seconds(55))
    assert (now(call).status, now(call).end, now(call).ended_by) == ("ended", "lost", "agent")


def test_a_side_that_is_connected_speaks_for_the_other(conversation: Conversation) -> None:
    call = answered(conversation)  # at 5 s; then the agent's socket is lost
    for n in (15, 25, 35):
        heard = Quality(is_connected=True)
        assert verbs.renew(call.public_id, by=Side.VISITOR, tab=TAB, quality=heard, at=seconds(n))
    assert not verbs.enforce(call.public_id, at=seconds(60))
    assert verbs.enforce(call.public_id, at=seconds(65))
    assert now(call).end == "lost"


def test_only_the_tab_that_took_part_resumes(conversation: Conversation) -> None:
    call = answered(conversation)
    with pytest.raises(NoSuchStep):
        verbs.resume(call.public_id, by=Side.VISITOR, tab=THIRD_TAB, at=seconds(10))


def test_each_side_tells_its_quality(conversation: Conversation) -> None:
    call = answered(conversation)
    for side, tab, quality in (
        (Side.VISITOR, TAB, Quality(1.5, 80)),
        (Side.AGENT, OTHER_TAB, Quality(0.25, 90)),
        (Side.AGENT, OTHER_TAB, NOTHING),
    ):
        assert verbs.renew(call.public_id, by=side, tab=tab, quality=quality, at=seconds(8))
    verbs.end(call.public_id, by=Side.AGENT, at=seconds(9))
    over = now(call)
    assert (over.visitor_loss, over.visitor_round_trip) == (1.5, 80)
    assert (over.agent_loss, over.agent_round_trip) == (0.25, 90)


def test_a_call_ends_with_the_conversation(conversation: Conversation, agent: Agent) -> None:
    call = answered(conversation)
    assert not verbs.end_moved(conversation.pk, at=seconds(6))
    lifecycle.close(
        conversation.pk,
        reason=CloseReason.RESOLVED,
        actor=actors.agent(agent.user),
        at=seconds(7),
    )
    assert verbs.end_moved(conversation.pk, at=seconds(7))
    assert (now(call).status, now(call).end) == ("ended", "moved")


def test_the_tabs_notice_it_if_nobody_told(conversation: Conversation, agent: Agent) -> None:
    call = answered(conversation)
    lifecycle.release(conversation.pk, actor=actors.manager(agent.user), at=seconds(6))
    assert not verbs.renew(call.public_id, by=Side.VISITOR, tab=TAB, quality=NOTHING, at=seconds(8))
    assert now(call).end == "moved"


def test_a_jitsi_room_has_a_name_of_its_own_each_time(
    website: Website, conversation: Conversation
) -> None:
    website.jitsi_url = "https://meet.example.com/"
    website.save()
    rooms = set()
    for n in range(2):
        call = ring(conversation, at=seconds(n))
        rooms.add(call.room)
        verbs.end(call.public_id, by=Side.VISITOR, at=seconds(n))
    assert len(rooms) == 2
    assert all(re.fullmatch(r"https://meet.example.com/causerie-[\w-]{32}", room) for room in rooms)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Call.objects.update(end="lost"),
        lambda: Call.objects.update(status="ringing", ended_at=None, end=""),
        lambda: Call.objects.all()._raw_delete("default"),
    ],
)
def test_a_call_that_is_over_stands(conversation: Conversation, change: Any) -> None:
    call = answered(conversation)
    verbs.end(call.public_id, by=Side.AGENT, at=seconds(9))
    with pytest.raises(DatabaseError, match="calls are append-only"), transaction.atomic():
        change()


@pytest.mark.parametrize(
    "change",
    [
        {"conversation_id": F("conversation_id") + 1},
        {"agent_id": F("agent_id") + 1},
        {"begun_by": "agent"},
        {"rang_at": seconds(1)},
    ],
)
def test_an_open_call_keeps_who_rang_whom_and_when(
    conversation: Conversation, change: dict[str, Any]
) -> None:
    ring(conversation)
    with pytest.raises(DatabaseError, match="calls are append-only"), transaction.atomic():
        Call.objects.update(**change)


def test_an_open_call_is_not_deleted(conversation: Conversation) -> None:
    ring(conversation)
    with pytest.raises(DatabaseError, match="calls are append-only"), transaction.atomic():
        Call.objects.all()._raw_delete("default")


def test_calls_are_exported_and_erased(conversation: Conversation, agent: Agent) -> None:
    call = answered(conversation)
    verbs.end(call.public_id, by=Side.AGENT, at=seconds(9))
    exported = personal_data.export(personal_data.of_visitor(conversation.visitor))
    assert len(exported["tables"]["conversations.call"]) == 1
    lifecycle.close(
        conversation.pk,
        reason=CloseReason.RESOLVED,
        actor=actors.agent(agent.user),
        at=seconds(10),
    )
    personal_data.forget(conversation.website, [conversation.visitor_id])
    assert not Call.objects.exists()


def test_both_sides_are_told_of_each_step(
    conversation: Conversation, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[CallChanged] = []

    async def hear(fact: CallChanged) -> None:
        heard.append(fact)

    bus.on(CallChanged, hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            call = answered(conversation)
            verbs.end(call.public_id, by=Side.AGENT, at=seconds(9))
    finally:
        bus._live[CallChanged].remove(hear)
    assert [fact.call["status"] for fact in heard] == ["ringing", "answered", "ended"]
    assert {fact.agent_id for fact in heard} == {conversation.agent_id}
    assert {fact.visitor_id for fact in heard} == {conversation.visitor_id}


@pytest.mark.django_db(transaction=True)
def test_of_two_tabs_that_answer_at_once_one_has_the_call(
    step: RuleStep, agent: Agent, website: Website
) -> None:
    conversation = on_desk(step, agent, visitor=VisitorFactory(website=website, agrees=True))
    call = ring(conversation)
    barrier, won = threading.Barrier(2), []

    def pick_up(tab: uuid.UUID) -> None:
        try:
            barrier.wait()
            verbs.answer(call.public_id, by=Side.AGENT, tab=tab, at=seconds(1))
            won.append(tab)
        except NoSuchStep:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=pick_up, args=(tab,)) for tab in (OTHER_TAB, THIRD_TAB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [now(call).agent_tab] == won


def test_the_task_ends_what_is_due(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ring(conversation)
    monkeypatch.setattr("conversations.lifecycle.deadlines.database_now", lambda: seconds(40))
    tasks.enforce_deadlines()
    assert now(call).status == "missed"
