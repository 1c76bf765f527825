"""Entry, push, release, transfer and presence."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent, AgentChannel, Channel, Role, Website
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Refused, Status
from conversations.models import Conversation
from core.rejection import Rejected
from routing import dispatch, engagement, invariants, presence, snapshots
from routing.actions import assignment
from routing.models import DeskConnection, DeskPresence, Mode, RuleStep
from routing.targeting import PageView
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    RuleFactory,
    StepFactory,
    VisitorFactory,
    connect,
    in_status,
    on_desk,
    queued,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def start(step: RuleStep) -> Conversation:
    conversation, _sent = engagement.start(
        VisitorFactory(website=step.rule.website),
        body="Bonjour",
        client_id=uuid.uuid4(),
        page_url="https://example.com/",
        language="fr",
        at=NOW,
    )
    conversation.refresh_from_db()
    return conversation


def answer_to(website: Website, **page: Any) -> snapshots.Answer:
    """Return the answer to a page view."""
    snapshot = snapshots.take(website.key, at=NOW)
    assert snapshot is not None
    return snapshot.answer(PageView(**page), at=NOW)


def no_room(step: RuleStep) -> bool:
    offer = answer_to(step.rule.website)
    try:
        start(step)
    except Rejected as rejected:
        refused = rejected.code
    else:
        refused = ""
    assert refused == offer.reason
    return refused == "no_room"


def team(step: RuleStep, *slots: int) -> list[Agent]:
    """Add connected and available agents to the step's group."""
    agents = [AgentFactory(slots=count) for count in slots]
    for agent in agents:
        step.group.members.add(agent)
        connect(agent)
    return agents


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=2)


# --- Entry -----------------------------------------------------------------------------------


def test_cascade_fills_all_places_in_order() -> None:
    """R45."""
    rule = RuleFactory()
    first, second = (StepFactory(rule=rule, places=places) for places in (100, 40))
    entered = [start(first).queue_id for _ in range(140)]
    assert entered == [first.pk] * 100 + [second.pk] * 40
    assert no_room(first)


def test_changed_places_apply_to_the_next_entry(step: RuleStep) -> None:
    for _ in range(2):
        start(step)
    assert no_room(step)
    RuleStep.objects.update(places=3)
    assert start(step).status == Status.QUEUED
    assert no_room(step)


def test_without_places_an_entry_needs_a_free_desk() -> None:
    step = StepFactory(places=0)
    assert no_room(step)
    one, two = team(step, 1, 2)
    landed = [start(step) for _ in range(3)]
    assert [conversation.status for conversation in landed] == [Status.ACTIVE] * 3
    assert [conversation.agent_id for conversation in landed] == [two.pk, one.pk, two.pk]
    assert not landed[0].is_asynchronous
    assert no_room(step)


def test_an_entry_with_places_is_asynchronous(step: RuleStep) -> None:
    conversation = start(step)
    assert conversation.is_asynchronous
    assert (conversation.last_seq, conversation.page_url) == (1, "https://example.com/")


def test_returns_may_exceed_the_places_and_new_entries_may_not(
    step: RuleStep,
) -> None:
    (agent,) = team(step, 5)
    held = [on_desk(step, agent) for _ in range(2)]
    DeskConnection.objects.all().delete()
    for conversation in held:
        assignment.release(conversation.pk, actor=actors.SYSTEM, at=NOW)
    start_blocked = no_room(step)
    waiting = Conversation.objects.waiting()
    assert (start_blocked, waiting.count(), waiting.filter(is_return=True).count()) == (True, 2, 2)
    queued(step)
    assignment.transfer_to_group(
        on_desk(step, agent).pk, group=step.group, actor=actors.SYSTEM, at=NOW
    )
    assert waiting.count() == 4  # "4/2, 3 returned"
    assert waiting.filter(is_return=True).count() == 3


def test_active_and_paused_conversations_take_no_place(step: RuleStep) -> None:
    agent = AgentFactory()
    step.group.members.add(agent)
    for status in (Status.ACTIVE, Status.SNOOZED, Status.PENDING, Status.ON_HOLD, Status.SOLVED):
        in_status(status, step, agent)
    for _ in range(2):
        start(step)
    assert no_room(step)


def test_assigned_conversations_take_a_place(step: RuleStep) -> None:
    agent = AgentFactory()
    step.group.members.add(agent)
    in_status(Status.ASSIGNED, step, agent)
    start(step)
    assert no_room(step)


def test_equal_share_alternates_between_groups(step: RuleStep) -> None:
    rule = RuleFactory(mode=Mode.EQUAL_SHARE)
    steps = [StepFactory(rule=rule, places=places) for places in (2, 2, 2)]
    entered = []
    for n in range(6):
        with time_machine.travel(NOW + n * SECOND, tick=False):
            conversation, _sent = engagement.start(
                VisitorFactory(website=rule.website),
                body="Bonjour",
                client_id=uuid.uuid4(),
                page_url="",
                language="fr",
                at=NOW + n * SECOND,
            )
        entered.append(conversation.queue_id)
    assert entered == [its_step.pk for its_step in steps] * 2


def test_the_first_enabled_rule_decides(step: RuleStep) -> None:
    other = StepFactory(rule__website=step.rule.website)
    assert start(step).queue_id == step.pk
    step.rule.is_enabled = False
    step.rule.save()
    assert start(step).queue_id == other.pk
    RuleStep.objects.filter(pk=other.pk).update(places=0)
    assert no_room(step)


def test_a_website_without_a_rule_does_not_engage() -> None:
    visitor = VisitorFactory()
    assert answer_to(visitor.website).reason == "no_rule"
    with pytest.raises(Rejected):
        engagement.start(
            visitor, body="x", client_id=uuid.uuid4(), page_url="", language="fr", at=NOW
        )


def test_resending_the_first_message_returns_the_same_conversation(
    step: RuleStep,
) -> None:
    visitor, client_id = VisitorFactory(website=step.rule.website), uuid.uuid4()

    def send(body: str = "Bonjour") -> tuple[Conversation, bool]:
        conversation, sent = engagement.start(
            visitor, body=body, client_id=client_id, page_url="", language="fr", at=NOW
        )
        return conversation, sent.is_new

    first, again = send(), send()
    assert first[0] == again[0]
    assert (first[1], again[1]) == (True, False)
    with pytest.raises(Rejected) as caught:
        send("Autre chose")
    assert caught.value.code == "conflict"
    agent = AgentFactory()
    verbs.push(first[0].pk, agent=agent, at=NOW)
    verbs.finish(first[0].pk, actor=actors.agent(agent.user), at=NOW)
    assert send() == (first[0], False)


# --- Push ------------------------------------------------------------------------------------


def test_the_oldest_conversation_is_pushed_first(step: RuleStep) -> None:
    waiting = [queued(step, at=NOW + n * MINUTE) for n in (3, 1, 2)]
    (agent,) = team(step, 2)
    assert dispatch.fill(agent.pk, Channel.CHAT) == 2
    left = Conversation.objects.get(status=Status.QUEUED)
    assert left == waiting[0]


def test_assigned_conversations_are_pushed_before_the_queue(step: RuleStep) -> None:
    queued(step)
    (agent,) = team(step, 1)
    mine = in_status(Status.ASSIGNED, step, agent, at=NOW + MINUTE)
    assert dispatch.fill(agent.pk, Channel.CHAT) == 1
    mine.refresh_from_db()
    assert mine.status == Status.ACTIVE


def test_an_agent_draws_from_queues_of_all_their_groups(step: RuleStep) -> None:
    other = StepFactory(rule=step.rule)
    (agent,) = team(step, 3)
    other.group.members.add(agent)
    for queue in (other, step):
        queued(queue)
    assert dispatch.fill(agent.pk, Channel.CHAT) == 2


@pytest.mark.parametrize(
    "why",
    ["not of the group", "unavailable", "not connected", "silent for 45 s", "full", "no slots"],
)
def test_nothing_is_pushed_to_an_agent_who_cannot_take_it(why: str, step: RuleStep) -> None:
    (agent,) = team(step, 1)
    mine = AgentChannel.objects.filter(agent=agent)
    match why:
        case "not of the group":
            step.group.members.clear()
        case "unavailable":
            mine.update(is_available=False)
        case "not connected":
            DeskConnection.objects.update(closed_at=NOW)
        case "silent for 45 s":
            DeskConnection.objects.update(heard_at=NOW - presence.GRACE)
        case "full":
            on_desk(step, agent)
        case "no slots":
            mine.update(slots=0)
    queued(step)
    assert dispatch.drain_all() == 0
    assert {finding.check for finding in invariants.findings(at=NOW)} <= {"outbox"}


def test_lost_capacity_is_found(step: RuleStep) -> None:
    conversation = queued(step, at=NOW - 2 * MINUTE)
    team(step, 1)
    lost = [one for one in invariants.findings(at=NOW) if one.check == "lost_capacity"]
    assert [finding.conversation_id for finding in lost] == [conversation.pk]
    assert dispatch.drain_all() == 1
    assert not [one for one in invariants.findings(at=NOW) if one.check == "lost_capacity"]


def test_drains_serve_the_least_busy_agent_first(step: RuleStep) -> None:
    one_slot, three_slots = team(step, 1, 3)
    for n in range(3):
        queued(step, at=NOW + n * SECOND)
    assert dispatch.drain_group(step.group_id, Channel.CHAT) == 3
    holders = Conversation.objects.order_by("queued_at").values_list("agent_id", flat=True)
    assert list(holders)[:2] == [three_slots.pk, three_slots.pk]
    assert set(holders) <= {one_slot.pk, three_slots.pk}


def test_a_drain_goes_on_where_its_agent_got_what_waits_elsewhere(step: RuleStep) -> None:
    """What waits in this group is not served by giving its agent something older of another."""
    elsewhere = StepFactory(rule=step.rule, places=10)
    both, helper = team(step, 2, 1)
    elsewhere.group.members.add(both)
    older = queued(elsewhere, at=NOW - MINUTE)
    here = queued(step)
    assert dispatch.drain_group(step.group_id, Channel.CHAT) == 2
    for one in (older, here):
        one.refresh_from_db()
        assert one.status == Status.ACTIVE
    assert older.agent_id == both.pk
    assert here.agent_id in {both.pk, helper.pk}


def test_a_drain_goes_on_where_its_agent_got_what_was_promised(step: RuleStep) -> None:
    (agent,) = team(step, 2)
    promised = in_status(Status.ASSIGNED, step=step, agent=agent)
    here = queued(step)
    assert dispatch.drain_group(step.group_id, Channel.CHAT) == 2
    for one in (promised, here):
        one.refresh_from_db()
        assert one.status == Status.ACTIVE


# --- Release, transfer, take -----------------------------------------------------------------


def test_release_is_refused_while_the_agent_is_connected(step: RuleStep) -> None:
    (agent,) = team(step, 3)
    conversation = on_desk(step, agent)
    for heard in (NOW, NOW + presence.GRACE - SECOND):
        with pytest.raises(Refused) as caught:
            assignment.release(conversation.pk, actor=actors.SYSTEM, at=heard)
        assert caught.value.why == assignment.CONNECTED
    released = assignment.release(conversation.pk, actor=actors.SYSTEM, at=NOW + presence.GRACE)
    assert (released.status, released.agent_id) == (Status.QUEUED, None)
    assert released.contacts.get().end_reason == "released"


def test_a_reload_does_not_disconnect_the_agent(step: RuleStep) -> None:
    (agent,) = team(step, 3)
    conversation = on_desk(step, agent)
    presence.disconnect(DeskConnection.objects.get().pk, at=NOW)
    with pytest.raises(Refused):
        assignment.release(conversation.pk, actor=actors.SYSTEM, at=NOW + SECOND)


def test_an_assigned_conversation_can_always_be_released(
    step: RuleStep,
) -> None:
    (agent,) = team(step, 3)
    conversation = in_status(Status.ASSIGNED, step, agent)
    assert assignment.release(conversation.pk, actor=actors.SYSTEM, at=NOW).status == Status.QUEUED


@pytest.mark.parametrize(
    "status", [status for status in Status if status not in {Status.ACTIVE, Status.ASSIGNED}]
)
def test_other_statuses_cannot_be_released(status: Status, step: RuleStep) -> None:
    agent = AgentFactory()
    step.group.members.add(agent)
    conversation = in_status(status, step, agent)
    with pytest.raises(Refused):
        assignment.release(conversation.pk, actor=actors.SYSTEM, at=NOW)


def test_lost_desks_are_released_after_the_group_setting(
    step: RuleStep,
) -> None:
    (agent,) = team(step, 3)
    conversation = on_desk(step, agent)
    lost_at = NOW + presence.GRACE
    assert presence.notice_losses(at=lost_at) == 1
    assert assignment.release_stranded(at=lost_at + 60 * MINUTE) == 0
    step.group.release_minutes = 5
    step.group.save()
    assert assignment.release_stranded(at=lost_at + 5 * MINUTE - SECOND) == 0
    assert assignment.release_stranded(at=lost_at + 5 * MINUTE) == 1
    conversation.refresh_from_db()
    assert conversation.status == Status.QUEUED


def test_a_transfer_enters_the_queue_of_the_same_rule(step: RuleStep) -> None:
    elsewhere = StepFactory(rule__website=step.rule.website)
    mine = StepFactory(rule=step.rule, group=elsewhere.group)
    (agent,) = team(step, 3)
    moved = assignment.transfer_to_group(
        on_desk(step, agent).pk, group=elsewhere.group, actor=actors.SYSTEM, at=NOW
    )
    assert (moved.group_id, moved.queue_id) == (elsewhere.group_id, mine.pk)
    back = assignment.transfer_to_group(moved.pk, group=step.group, actor=actors.SYSTEM, at=NOW)
    assert back.queue_id == step.pk


def test_transfer_to_a_group_of_another_website_is_refused(step: RuleStep) -> None:
    conversation = queued(step)
    with pytest.raises(Refused):
        assignment.transfer_to_group(
            conversation.pk, group=GroupFactory(), actor=actors.SYSTEM, at=NOW
        )


def test_an_agent_may_take_an_assigned_conversation_beyond_slots(step: RuleStep) -> None:
    (agent,) = team(step, 1)
    on_desk(step, agent)
    mine = in_status(Status.ASSIGNED, step, agent)
    assert dispatch.fill(agent.pk, Channel.CHAT) == 0
    assert assignment.take(mine.pk, user=agent.user, at=NOW).status == Status.ACTIVE
    assert [
        finding.check for finding in invariants.findings(at=NOW) if finding.check == "slots"
    ] == []


# --- Presence --------------------------------------------------------------------------------


def test_a_heartbeat_reconnects_a_lost_desk(step: RuleStep) -> None:
    (agent,) = team(step, 1)
    desk = DeskConnection.objects.get().pk
    later = NOW + 2 * MINUTE
    assert presence.notice_losses(at=later) == 1
    assert presence.notice_losses(at=later) == 0
    assert presence.record_heartbeat(desk, at=later)
    assert DeskPresence.objects.get(agent=agent).is_connected
    assert presence.is_connected(agent.pk, later)
    queued(step, at=later)
    with time_machine.travel(later, tick=False):
        assert dispatch.fill(agent.pk, Channel.CHAT) == 1


def test_a_heartbeat_takes_one_query_and_reports_an_unknown_desk(step: RuleStep) -> None:
    team(step, 1)
    desk = DeskConnection.objects.get().pk
    with CaptureQueriesContext(connection) as queries:
        assert presence.record_heartbeat(desk, at=NOW + SECOND)
    assert len(queries) == 1
    presence.log_out(DeskConnection.objects.get().agent_id, at=NOW)
    assert not presence.record_heartbeat(desk, at=NOW + SECOND)


def test_several_devices_count_as_one_agent_until_the_last_is_silent(step: RuleStep) -> None:
    (agent,) = team(step, 1)
    connect(agent, at=NOW + 30 * SECOND)
    assert presence.notice_losses(at=NOW + presence.GRACE + SECOND) == 0
    assert presence.notice_losses(at=NOW + 30 * SECOND + presence.GRACE) == 1


def test_logout_disconnects_and_makes_unavailable(step: RuleStep) -> None:
    (agent,) = team(step, 1)
    presence.log_out(agent.pk, at=NOW)
    assert not presence.is_connected(agent.pk, NOW)
    assert not AgentChannel.objects.get(agent=agent).is_available


def test_availability_needs_slots(step: RuleStep) -> None:
    agent = AgentFactory(slots=0, available=False)
    assert not presence.set_available(agent.pk, Channel.CHAT, True, at=NOW)
    assert not presence.set_available(agent.pk, Channel.VIDEO, True, at=NOW)


# --- What the hot paths cost -----------------------------------------------------------------


def cost(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def test_hot_paths_take_a_fixed_number_of_queries(step: RuleStep) -> None:
    """Statements, including those of savepoints; a new one needs a reason."""
    (agent,) = team(step, 3)
    visitor = VisitorFactory(website=step.rule.website)
    number = queued(step).pk
    costs = {
        "entry": cost(
            lambda: engagement.start(
                visitor, body="x", client_id=uuid.uuid4(), page_url="", language="fr", at=NOW
            )
        ),
        "push": cost(lambda: dispatch.serve(agent.pk, Channel.CHAT)),
        "close": cost(lambda: verbs.finish(number, actor=actors.agent(agent.user), at=NOW)),
        "last push": cost(lambda: dispatch.serve(agent.pk, Channel.CHAT)),
        "nothing to push": cost(lambda: dispatch.serve(agent.pk, Channel.CHAT)),
    }
    assert costs == {
        # One of them publishes that this entry takes the last place of its queue.
        "entry": 15,
        # Included: whether the website translates messages.
        "push": 12,
        # Included: the website's survey questions, the reason for no survey, the payee of the
        # closure, and the group's opening hours as of this moment (C57).
        "close": 16,
        "last push": 12,
        "nothing to push": 3,
    }


def test_every_role_gets_pushes(step: RuleStep) -> None:
    """All four may converse (R163)."""
    for role in Role:
        agent = AgentFactory(user__role=role, slots=1)
        step.group.members.add(agent)
        connect(agent)
    for _ in range(4):
        queued(step)
    assert dispatch.drain_all() == 4
