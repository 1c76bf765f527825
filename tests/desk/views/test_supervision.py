"""Supervision from the board: release, reassign, wake; and the rights to do so."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.lifecycle.transitions import Refused, Status
from conversations.models import Conversation, Event
from routing.actions import by_supervisor
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import (
    AgentFactory,
    StepFactory,
    UserFactory,
    connect,
    in_status,
    on_desk,
    queued,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=9)


@pytest.fixture
def alice(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def bruno(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Bruno")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER)
    step.group.managers.add(user)
    return user


def post(user: User, number: int, act: str, **data: str) -> HttpResponse:
    client = Client()
    client.force_login(user)
    response: HttpResponse = client.post(f"/desk/c/{number}/{act}/", data)
    return response


def state_of(conversation: Conversation) -> tuple[str, Agent | None]:
    conversation.refresh_from_db()
    return conversation.status, conversation.agent


@pytest.mark.parametrize("status", [Status.QUEUED, Status.ASSIGNED, Status.ACTIVE])
def test_manager_can_reassign_to_an_agent(
    step: RuleStep, alice: Agent, bruno: Agent, manager: User, status: Status
) -> None:
    one = in_status(status, step, alice)
    assert post(manager, one.pk, "reassign", to=f"agent-{bruno.pk}").status_code == 204
    assert state_of(one) == (Status.ASSIGNED, bruno)
    last = Event.objects.filter(conversation=one).latest("pk")
    assert (last.verb, last.actor_kind, last.actor_user_id) == (
        "transfer_to_agent",
        "manager",
        manager.pk,
    )


def test_reassigning_to_a_free_agent_activates_the_conversation(
    step: RuleStep,
    alice: Agent,
    bruno: Agent,
    manager: User,
    django_capture_on_commit_callbacks: object,
) -> None:
    one = queued(step)
    connect(bruno)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        post(manager, one.pk, "reassign", to=f"agent-{bruno.pk}")
    assert state_of(one) == (Status.ACTIVE, bruno)


def test_manager_can_reassign_to_a_team(step: RuleStep, alice: Agent, manager: User) -> None:
    other = StepFactory(rule=step.rule)
    one = in_status(Status.ASSIGNED, step, alice)
    assert post(manager, one.pk, "reassign", to=f"team-{other.group_id}").status_code == 204
    assert state_of(one) == (Status.QUEUED, None)
    assert (one.group, one.queue) == (other.group, other)


def test_conversation_of_a_connected_agent_cannot_be_reassigned(
    step: RuleStep, alice: Agent, bruno: Agent, manager: User
) -> None:
    connect(alice)
    one = on_desk(step, alice)
    answer = post(manager, one.pk, "reassign", to=f"agent-{bruno.pk}")
    assert answer.status_code == 409
    message = json.loads(answer["HX-Trigger"])["desk:refused"]["message"]
    assert message == "Its agent is connected and can transfer it from the desk."
    assert state_of(one) == (Status.ACTIVE, alice)


@pytest.mark.parametrize("to", ["", "agent-0", "team-0", "nobody", "foreign agent", "foreign team"])
def test_reassigning_outside_the_website_is_refused(
    step: RuleStep, alice: Agent, manager: User, to: str
) -> None:
    foreign = StepFactory()
    stranger = AgentFactory()
    foreign.group.members.add(stranger)
    to = {"foreign agent": f"agent-{stranger.pk}", "foreign team": f"team-{foreign.group_id}"}.get(
        to, to
    )
    one = queued(step)
    assert post(manager, one.pk, "reassign", to=to).status_code == 422
    assert state_of(one) == (Status.QUEUED, None)


def test_manager_can_wake_a_snoozed_conversation(
    step: RuleStep, alice: Agent, manager: User
) -> None:
    for is_kept, wanted in ((True, (Status.ASSIGNED, alice)), (False, (Status.QUEUED, None))):
        one = in_status(Status.SNOOZED, step, alice)
        Conversation.objects.filter(pk=one.pk).update(is_kept=is_kept)
        assert post(manager, one.pk, "rouse").status_code == 204
        assert state_of(one) == wanted
        assert post(manager, one.pk, "rouse").status_code == 409
        assert Event.objects.filter(conversation=one).latest("pk").actor_kind == "manager"


@pytest.mark.parametrize("act", ["rouse", "reassign"])
def test_agents_and_strangers_get_a_404(
    step: RuleStep, alice: Agent, bruno: Agent, act: str
) -> None:
    one = in_status(Status.SNOOZED, step, alice)
    stranger = UserFactory(role=Role.MANAGER)
    StepFactory().group.managers.add(stranger)
    for user in (alice.user, stranger):
        assert post(user, one.pk, act, to=f"agent-{bruno.pk}").status_code == 404
    assert Client().post(f"/desk/c/{one.pk}/{act}/").status_code == 302
    assert state_of(one)[0] == Status.SNOOZED


@pytest.fixture
def beside(step: RuleStep) -> RuleStep:
    """A queue of the same website, managed by somebody else."""
    return StepFactory(rule=step.rule)


def test_conversation_of_another_team_is_not_found(
    step: RuleStep, beside: RuleStep, manager: User
) -> None:
    one = queued(step)
    client = Client()
    client.force_login(manager)
    assert beside.group.name in client.get(f"/desk/c/{one.pk}/reassign/").content.decode()
    assert post(manager, one.pk, "reassign", to=f"team-{beside.group_id}").status_code == 204
    for address in (f"/desk/c/{one.pk}/", f"/desk/c/{one.pk}/why/", f"/desk/c/{one.pk}/reassign/"):
        assert client.get(address).status_code == 404
    assert post(manager, one.pk, "reassign", to=f"team-{step.group_id}").status_code == 404
    assert state_of(one) == (Status.QUEUED, None)


def test_manager_cannot_supervise_teams_they_do_not_manage(
    step: RuleStep, beside: RuleStep, alice: Agent, manager: User
) -> None:
    """A manager of one team who is an agent of another may only read there."""
    beside.group.members.add(AgentFactory(user=manager), alice)
    client = Client()
    client.force_login(manager)
    for status in (Status.ASSIGNED, Status.ACTIVE, Status.SNOOZED):
        one = in_status(status, beside, alice)
        page = client.get(f"/desk/c/{one.pk}/").content.decode()
        assert f"#{one.pk}" in page
        assert "/release/" not in page
        before = state_of(one)
        for act, code in (("reassign", 404), ("rouse", 404), ("release", 409)):
            assert post(manager, one.pk, act, to=f"agent-{alice.pk}").status_code == code
        assert state_of(one) == before
    mine = in_status(Status.ACTIVE, step, alice)
    assert "/release/" in client.get(f"/desk/c/{mine.pk}/").content.decode()


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        (Status.ASSIGNED, by_supervisor.release),
        (
            Status.QUEUED,
            lambda pk, **how: by_supervisor.reassign(pk, to=Agent.objects.get(), **how),
        ),
        (Status.SNOOZED, by_supervisor.wake),
    ],
)
def test_each_verb_checks_rights_again_under_the_lock(
    beside: RuleStep, alice: Agent, manager: User, status: Status, verb: Callable[..., object]
) -> None:
    """A transfer to another team was faster than the click."""
    beside.group.members.add(alice)
    one = in_status(status, beside, alice)
    before = state_of(one)
    with pytest.raises(Refused):
        verb(one.pk, user=manager, at=NOW)
    assert state_of(one) == before
    beside.group.managers.add(manager)
    verb(one.pk, user=manager, at=NOW)
    assert state_of(one) != before
