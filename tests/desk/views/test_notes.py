"""Notes for the team: who writes and reads them, whom they mention, and that no visitor sees
one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.agents import notes, notices
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Note, Notice
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory, in_status, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]

NAMES = {1: "Anne", 2: "Anne Marie", 3: "Zoé", 4: "R. (Bob)", 5: "Anne"}


@pytest.mark.parametrize(
    ("body", "called"),
    [
        ("@Anne, see this", {1, 5}),
        ("@Anne Marie knows", {2}),
        ("@anne marie and @ANNE", {1, 2, 5}),
        ("ask @zoe!", {3}),
        ("@R. (Bob) did", {4}),
        ("@Annette, mail@Anne.fr, Anne", set()),
        ("@ Anne", set()),
        ("", set()),
    ],
)
def test_mentions_are_parsed(body: str, called: set[int]) -> None:
    assert notes.mentioned(body, NAMES) == called


def test_mentionable_agents_are_those_who_see_the_conversation(
    step: RuleStep, agent: Agent
) -> None:
    """The two lists are built separately and must be equal."""
    elsewhere = StepFactory(rule=step.rule)
    beside, stranger, member = AgentFactory(), AgentFactory(), AgentFactory()
    elsewhere.group.members.add(beside)
    step.group.members.add(member)
    manager = AgentFactory(user=UserFactory(role=Role.MANAGER))
    elsewhere.group.managers.add(manager.user)
    of_all = AgentFactory(user=UserFactory(role=Role.MANAGER)).user
    of_all.managed_groups.add(step.group, elsewhere.group)
    AgentFactory(user=UserFactory(role=Role.MANAGER))
    AgentFactory(user=UserFactory(role=Role.ADMIN))
    was_manager = AgentFactory()
    step.group.managers.add(was_manager.user)
    for status in (Status.ACTIVE, Status.QUEUED, Status.CLOSED, Status.BOT):
        number = in_status(status, step, agent).pk
        may_see = {
            one.pk
            for one in Agent.objects.select_related("user")
            if Conversation.objects.visible_to(one.user).filter(pk=number).exists()
        }
        assert set(notes.readers(number).values_list("pk", flat=True)) == may_see
    member.user.is_active = False
    member.user.save()
    assert member not in notes.readers(number)
    assert stranger not in notes.readers(number)


def test_mention_notifies_the_agent_until_read(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    bruno = AgentFactory(display_name="Bruno")
    step.group.members.add(bruno)
    answer = browser(agent.user).post(
        f"/desk/c/{conversation.pk}/notes/", {"body": "@Bruno <b>look</b>, @Alice too"}
    )
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"]) == {"desk:noted": {"number": conversation.pk}}
    assert [notice.agent_id for notice in Notice.objects.all()] == [bruno.pk]  # never the author
    desk = browser(bruno.user).get("/desk/boxes/").content.decode()
    assert "Alice mentioned you in a note" in desk
    assert "@Bruno &lt;b&gt;look&lt;/b&gt;" in desk
    browser(bruno.user).post("/desk/notices/read/")
    assert not notices.unread(bruno.pk).exists()
    shown = browser(bruno.user).get(f"/desk/c/{conversation.pk}/").content.decode()
    assert "&lt;b&gt;look&lt;/b&gt;" in shown


def test_agent_without_access_is_not_notified_of_a_mention(step: RuleStep, agent: Agent) -> None:
    AgentFactory(display_name="Bruno")
    notes.write(on_desk(step, agent).pk, agent_id=agent.pk, body="@Bruno", at=NOW)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (" \n ", "The note is empty"),
        ("x" * 2001, "The limit is 2000"),
    ],
)
def test_an_invalid_note_is_refused_with_a_message(
    browser: Browser, step: RuleStep, agent: Agent, body: str, sentence: str
) -> None:
    answer = browser(agent.user).post(f"/desk/c/{on_desk(step, agent).pk}/notes/", {"body": body})
    assert answer.status_code == 422
    assert sentence in json.loads(answer["HX-Trigger"])["desk:unnoted"]["message"]
    assert not Note.objects.exists()


def test_stranger_cannot_write_notes_or_list_names(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    number = on_desk(step, agent).pk
    stranger = browser(AgentFactory().user)
    assert stranger.post(f"/desk/c/{number}/notes/", {"body": "x"}).status_code == 404
    assert stranger.get(f"/desk/c/{number}/readers/").status_code == 404
    assert browser(agent.user).get(f"/desk/c/{number}/notes/").status_code == 405
    assert browser(agent.user).get(f"/desk/c/{number}/readers/").json() == {"names": []}


def test_a_user_without_a_desk_gets_an_explanation(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    admin = browser(UserFactory(role=Role.ADMIN))
    answer = admin.post(f"/desk/c/{on_desk(step, agent).pk}/notes/", {"body": "x"})
    assert answer.status_code == 422
    assert "Your account has no desk." in answer["HX-Trigger"]
