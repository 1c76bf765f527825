"""Conversations an agent may no longer have return to the group, from every status and by every
entry point."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, AgentChannel, Group, Role, User
from conversations.agents import ownership
from conversations.lifecycle import actors, deadlines, invariants, verbs
from conversations.lifecycle.transitions import PAUSED, Refused, Status
from conversations.messages import sending
from conversations.models import Author, Contact, Conversation
from routing import changes
from routing.actions import assignment, by_agent, by_supervisor, reclaiming
from routing.models import DeskConnection, RuleStep
from routing.waits import queries
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    UserFactory,
    connect,
    in_status,
    on_desk,
    queued,
)
from tests.logins import log_in_freshly
from tests.routing.test_races import together

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)
HELD = [Status.ACTIVE, Status.ASSIGNED]


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


def last_event(conversation: Conversation) -> tuple[str, dict[str, Any]]:
    event = conversation.events.order_by("pk").last()
    assert event is not None
    return event.verb, event.data


def deactivate(agent: Agent) -> None:
    """Deactivate without publishing a fact, as a shell would."""
    User.objects.filter(pk=agent.user_id).update(is_active=False)


def reply(conversation: Conversation) -> None:
    sending.add(
        conversation.pk,
        author=Author.VISITOR,
        body="Encore une question",
        client_id=conversation.public_id,
        at=LATER,
    )
    conversation.refresh_from_db()


# --- Entitlement is checked when it comes back ---


def leave(agent: Agent) -> None:
    agent.groups.clear()


def demote(agent: Agent) -> None:
    """An administrator had it by the role alone."""
    agent.groups.clear()
    User.objects.filter(pk=agent.user_id).update(role=Role.EXPERT)


LOSSES = {"deactivated": deactivate, "moved": leave, "demoted": demote}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("status", [Status.SNOOZED, Status.PENDING, Status.ON_HOLD, Status.SOLVED])
def test_a_reply_does_not_return_to_a_barred_agent(
    status: Status, loss: str, step: RuleStep, agent: Agent
) -> None:
    if loss == "demoted":
        User.objects.filter(pk=agent.user_id).update(role=Role.ADMIN)
    conversation = in_status(status, step, agent)
    LOSSES[loss](agent)
    reply(conversation)
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)
    verb, data = last_event(conversation)
    assert verb == ("wake_to_group" if status == Status.SNOOZED else "reopen_to_group")
    assert data["reason"] == ("account_deactivated" if loss == "deactivated" else "other_website")


def test_regained_access_lets_a_reply_return_to_the_agent(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.SNOOZED, step, agent)
    leave(agent)
    GroupFactory(website=step.rule.website).members.add(agent)  # another team of the same brand
    reclaiming.reclaim(agent_id=agent.pk)
    reply(conversation)
    assert (conversation.status, conversation.agent_id) == (Status.ASSIGNED, agent.pk)


@pytest.mark.parametrize("alone", [True, False])
def test_the_end_of_a_snooze_checks_access(alone: bool, step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.SNOOZED, step, agent)
    colleague = AgentFactory()
    step.group.members.add(colleague)
    snoozed = in_status(Status.SNOOZED, step, colleague)
    deactivate(agent)
    end = NOW + timedelta(hours=4)
    if alone:
        deadlines.enforce(conversation.pk, at=end)
        deadlines.enforce(snoozed.pk, at=end)
    else:
        assert deadlines.enforce_many(at=end) == 2
    conversation.refresh_from_db()
    snoozed.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)
    assert (snoozed.status, snoozed.agent_id) == (Status.ASSIGNED, colleague.pk)


def test_waking_and_resuming_check_access(step: RuleStep, agent: Agent) -> None:
    snoozed = in_status(Status.SNOOZED, step, agent)
    solved = in_status(Status.SOLVED, step, agent)
    leave(agent)
    assert by_agent.wake(snoozed.pk, user=agent.user, at=LATER).status == Status.QUEUED
    assert by_agent.resume(solved.pk, user=agent.user, at=LATER).status == Status.QUEUED


@pytest.mark.parametrize("lose", [deactivate, leave])
def test_a_barred_agent_can_neither_take_nor_be_assigned(
    lose: Callable[[Agent], None], step: RuleStep, agent: Agent
) -> None:
    assigned = in_status(Status.ASSIGNED, step, agent)
    waiting_one = queued(step)
    lose(agent)
    admin = UserFactory(role=Role.ADMIN)
    with pytest.raises(Refused):
        assignment.take(assigned.pk, user=agent.user, at=LATER)
    with pytest.raises(Refused):
        verbs.transfer_to_agent(waiting_one.pk, agent=agent, actor=actors.manager(admin), at=LATER)
    with pytest.raises(Refused):
        by_supervisor.reassign(waiting_one.pk, to=agent, user=admin, at=LATER)


# --- What they have is returned at once ---


@pytest.mark.parametrize("status", [*HELD, *sorted(PAUSED)])
def test_conversations_of_a_deactivated_account_return_to_the_group(
    status: Status, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(status, step, agent)
    rank, deadline = conversation.queued_at, conversation.deadline_at
    connect(agent)
    deactivate(agent)
    reclaiming.reclaim(agent_id=agent.pk)
    conversation.refresh_from_db()
    assert conversation.agent_id is None
    assert conversation.status == (Status.QUEUED if status in HELD else status)
    assert conversation.queued_at == rank
    if status in PAUSED:
        assert conversation.deadline_at == deadline
        assert not conversation.is_kept
    assert last_event(conversation)[1]["reason"] == "account_deactivated"
    assert not DeskConnection.objects.filter(agent=agent).exists()
    assert not AgentChannel.objects.filter(agent=agent, is_available=True).exists()
    assert list(invariants.entitlement(at=timezone.now())) == []
    before = conversation.events.count()
    reclaiming.reclaim(agent_id=agent.pk)
    assert conversation.events.count() == before


def test_reclaiming_a_solved_conversation_offers_no_second_survey(
    step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent, style="social", solved_window=timedelta(days=4))
    sending.add(
        conversation.pk,
        author=Author.AGENT,
        body="Voilà",
        client_id=conversation.public_id,
        at=NOW,
    )
    verbs.solve(conversation.pk, actor=actors.agent(agent.user), at=NOW)
    offered = list(conversation.surveys.values_list("pk", "offered_at"))
    leave(agent)
    reclaiming.reclaim(agent_id=agent.pk)
    assert list(conversation.surveys.values_list("pk", "offered_at")) == offered != []


def test_a_team_member_resumes_a_conversation_left_to_the_team(
    step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.PENDING, step, agent)
    colleague, stranger = AgentFactory(), AgentFactory()
    step.group.members.add(colleague)
    deactivate(agent)
    reclaiming.reclaim(agent_id=agent.pk)
    with pytest.raises(Refused):
        by_agent.resume(conversation.pk, user=stranger.user, at=LATER)
    back = by_agent.resume(conversation.pk, user=colleague.user, at=LATER)
    assert (back.status, back.group_id) == (Status.QUEUED, step.group_id)


def test_reclaiming_leaves_conversations_the_agent_may_have(step: RuleStep, agent: Agent) -> None:
    elsewhere = StepFactory()
    elsewhere.group.members.add(agent)
    mine = in_status(Status.ASSIGNED, step, agent)
    other = in_status(Status.ASSIGNED, elsewhere, agent)
    elsewhere.group.members.remove(agent)
    reclaiming.reclaim(agent_id=agent.pk)
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, other.status) == (Status.ASSIGNED, Status.QUEUED)


# --- By every entry point ---


@pytest.fixture
def admin(client: Client) -> Client:
    log_in_freshly(client, UserFactory(role=Role.ADMIN, is_staff=True))
    return client


def account_form(user: User, **fields: str) -> dict[str, str]:
    return {"username": user.username, "role": user.role, "timezone": "Europe/Paris"} | fields


@pytest.mark.usefixtures("clock", "durable_wires")
def test_deactivating_an_account_by_form_reclaims_conversations(
    admin: Client, step: RuleStep, agent: Agent, django_capture_on_commit_callbacks: Any
) -> None:
    conversation = in_status(Status.ACTIVE, step, agent)
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin.post(
            f"/admin/accounts/user/{agent.user_id}/change/", account_form(agent.user)
        )
    assert answer.status_code == 302
    assert not User.objects.get(pk=agent.user_id).is_active
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)


@pytest.mark.usefixtures("clock", "durable_wires")
def test_demoting_an_administrator_by_form_reclaims_conversations(
    admin: Client, step: RuleStep, django_capture_on_commit_callbacks: Any
) -> None:
    chief = AgentFactory(user__role=Role.ADMIN)
    conversation = in_status(Status.ASSIGNED, step, chief)
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(
            f"/admin/accounts/user/{chief.user_id}/change/",
            account_form(chief.user, role="expert", is_active="on"),
        )
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)


@pytest.mark.usefixtures("clock", "durable_wires")
def test_changing_groups_by_agent_form_reclaims_conversations(
    admin: Client, step: RuleStep, agent: Agent, django_capture_on_commit_callbacks: Any
) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    other = GroupFactory()
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin.post(
            f"/admin/accounts/agent/{agent.pk}/change/",
            {
                "user": agent.user_id,
                "display_name": agent.display_name,
                "groups": [other.pk],
                "channels-TOTAL_FORMS": "0",
                "channels-INITIAL_FORMS": "0",
            },
        )
    assert answer.status_code == 302
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)


@pytest.mark.usefixtures("clock", "durable_wires")
@pytest.mark.parametrize("bulk", [True, False])
def test_deleting_a_group_reclaims_conversations_of_its_members(
    bulk: bool,
    admin: Client,
    step: RuleStep,
    django_capture_on_commit_callbacks: Any,
) -> None:
    agent, team = AgentFactory(), GroupFactory(website=step.rule.website)
    team.members.add(agent)
    conversation = in_status(Status.ASSIGNED, step, agent)
    address, form = f"/admin/accounts/group/{team.pk}/delete/", {"post": "yes"}
    if bulk:
        address = "/admin/accounts/group/"
        form |= {"action": "delete_selected", "_selected_action": str(team.pk)}
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post(address, form).status_code == 302
    assert not Group.objects.filter(pk=team.pk).exists()
    conversation.refresh_from_db()
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)


def test_an_account_with_a_conversation_cannot_be_deleted(
    admin: Client, step: RuleStep, agent: Agent
) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    answer = admin.post(f"/admin/accounts/user/{agent.user_id}/delete/", {"post": "yes"})
    assert answer.status_code == 200
    conversation.refresh_from_db()
    assert conversation.agent_id == agent.pk


def test_the_sweep_finds_unreported_changes(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ACTIVE, step, agent)
    Group.objects.filter(pk=step.group_id).update(website=StepFactory().rule.website_id)
    assert ownership.agents_with_barred() == [agent.pk]
    assert [one.conversation_id for one in invariants.entitlement(at=timezone.now())] == [
        conversation.pk
    ]
    assert reclaiming.sweep() == 1
    assert reclaiming.sweep() == 0
    assert list(invariants.entitlement(at=timezone.now())) == []


# --- "Why" ---


def why(conversation: Conversation) -> Any:
    mine = Conversation.objects.filter(pk=conversation.pk)
    [explanation] = queries.explained(mine, at=NOW, zone=NOW.tzinfo)  # type: ignore[arg-type]
    return explanation


def test_why_offers_only_possible_remedies(step: RuleStep, agent: Agent) -> None:
    conversation = queued(step)
    deactivate(agent)
    explanation = why(conversation)
    assert explanation.summary.startswith(f"All members of the group {step.group} have deactivated")
    assert explanation.remedies == (f"Someone becomes a member of the group {step.group}.",)
    assert [reason.code for one in explanation.candidates for reason in one.reasons] == [
        "account_deactivated"
    ]
    assigned = in_status(Status.ASSIGNED, step, AgentFactory(user__role=Role.ADMIN))
    assert assigned.agent is not None
    leave(assigned.agent)
    User.objects.filter(pk=assigned.agent.user_id).update(role=Role.AGENT)
    explanation = why(assigned)
    assert "no longer has access to this website" in explanation.summary
    assert not any(assigned.agent.display_name in remedy for remedy in explanation.remedies)


# --- At the same instant ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("durable_wires")
@pytest.mark.parametrize("turn", range(3))
def test_a_snooze_ending_during_deactivation_leaves_no_agent(turn: int) -> None:
    step, agent = StepFactory(), AgentFactory(available=False, slots=8)
    step.group.members.add(agent)
    snoozed = [in_status(Status.SNOOZED, step, agent, at=timezone.now()) for _ in range(4)]
    paused = [in_status(Status.PENDING, step, agent, at=timezone.now()) for _ in range(4)]

    connect(agent, at=timezone.now())
    AgentChannel.objects.update(is_available=True)

    def deactivating() -> None:
        with transaction.atomic():
            deactivate(agent)
            changes.account_changed(agent.user_id)

    def waking(conversation: Conversation) -> None:
        if conversation.status == Status.SNOOZED:
            verbs.wake(conversation.pk, actor=actors.VISITOR, at=timezone.now())
        else:
            verbs.reopen(conversation.pk, actor=actors.VISITOR, at=timezone.now())

    jobs: list[Callable[[], Any]] = [lambda one=one: waking(one) for one in [*snoozed, *paused]]
    jobs.insert(turn * 3, deactivating)
    together(*jobs)
    rows = Conversation.objects.filter(pk__in=[one.pk for one in [*snoozed, *paused]])
    assert set(rows.values_list("status", "agent")) == {(Status.QUEUED, None)}
    assert not Contact.objects.filter(agent=agent, ended_at=None).exists()
    assert list(invariants.entitlement(at=timezone.now())) == []
