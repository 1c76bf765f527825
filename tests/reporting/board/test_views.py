"""The production report: what it counts, for whom, with how many queries."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.models import Agent, Channel, Role, User
from conversations import surveys
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation
from reporting.board import queries, states
from reporting.board.agents_today import AgentToday
from reporting.board.scope import View
from routing import presence
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

pytestmark = pytest.mark.django_db
QUERIES = {Role.ADMIN: 18, Role.MANAGER: 19}
"""For a manager, what they oversee is queried; for a part, its name is looked up as well."""


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=2)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def manager(step: RuleStep) -> User:
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    return manager


def closed(
    step: RuleStep, agent: Agent, at: datetime, *, answered_after: timedelta | None = None
) -> Conversation:
    conversation = on_desk(step, agent, at=at - timedelta(hours=1))
    if answered_after is not None:
        sending.add(
            conversation.pk,
            author=Author.AGENT,
            body="Bonjour",
            client_id=uuid.uuid4(),
            at=at - timedelta(hours=1) + answered_after,
        )
    return verbs.close(
        conversation.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=at
    )


def test_every_state_is_counted_once(step: RuleStep, agent: Agent, manager: User) -> None:
    for status in Status:
        in_status(status, step, agent)
    board = queries.board(manager, at=NOW)
    assert board.totals == {status.value: 1 for status in Status if status != Status.CLOSED} | {
        "closed": 0
    }
    assert (board.waiting, board.today.closed) == (2, 1)


def test_a_queue_shows_its_places_its_returns_and_its_longest_wait(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    for minute in range(2):
        queued(step, at=NOW + timedelta(minutes=minute))
    conversation = on_desk(step, agent, at=NOW)
    verbs.release(conversation.pk, actor=actors.SYSTEM, at=NOW + timedelta(minutes=5))
    [queue] = queries.board(manager, at=NOW).queues
    assert (queue.waiting, queue.places, queue.returned, queue.is_over) == (3, 2, 1, True)
    assert queue.oldest_at == NOW


def test_a_group_without_a_queue_shows_its_transfers(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    other = StepFactory(rule=step.rule).group
    other.managers.add(manager)
    RuleStep.objects.filter(group=other).delete()
    conversation = on_desk(step, agent)
    verbs.transfer_to_group(
        conversation.pk, group=other, queue_id=None, actor=actors.agent(agent.user), at=NOW
    )
    first, second = queries.board(manager, at=NOW).queues
    assert (first.waiting, second.group, second.places, second.waiting) == (0, other.name, None, 1)


def test_connected_agents_show_their_load_and_a_lost_desk_shows_as_lost(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    connect(agent)
    lost, absent = AgentFactory(display_name="Bruno"), AgentFactory()
    step.group.members.add(lost, absent)
    on_desk(step, agent)
    on_desk(step, lost)
    bruno, alice = queries.board(manager, at=NOW).agents
    assert (alice.name, alice.is_connected, alice.on_desk) == ("Alice", True, 1)
    [chat] = alice.channels
    assert (chat.state, chat.active, chat.slots) == ("available", 1, 3)
    assert (bruno.name, bruno.is_connected, bruno.on_desk) == ("Bruno", False, 1)


def test_the_board_shows_the_day_of_an_agent(step: RuleStep, agent: Agent, manager: User) -> None:
    presence.connect(agent.pk, uuid.uuid4(), at=NOW - timedelta(hours=3))
    presence.set_available(agent.pk, Channel.CHAT, False, at=NOW - timedelta(hours=1))
    presence.set_available(agent.pk, Channel.CHAT, True, at=NOW - timedelta(minutes=10))
    one = on_desk(step, agent, at=NOW - timedelta(minutes=50))
    sending.add(one.pk, author=Author.AGENT, body="…", client_id=uuid.uuid4(), at=NOW)
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW)
    surveys.answer(one.pk, csat=5, nps=None, comment="", at=NOW)
    board = queries.board(manager, at=NOW)
    [alice] = board.agents
    assert alice.since == NOW - timedelta(minutes=10)
    assert alice.today == AgentToday(
        contacts=1,
        handle_time=timedelta(minutes=50),
        available=timedelta(hours=2, minutes=10),
        csat=100.0,
    )
    assert (board.today.resolution, board.today.contacts) == (timedelta(minutes=50), 1.0)


def test_today_begins_at_midnight_in_the_websites_time_zone(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    website = step.rule.website
    website.time_zone = "Pacific/Auckland"
    website.save()
    midnight = datetime(2035, 3, 5, tzinfo=ZoneInfo("Pacific/Auckland"))
    closed(step, agent, midnight - timedelta(seconds=1))
    closed(step, agent, midnight)
    assert queries.board(manager, at=NOW).today.closed == 1


def test_the_first_response_is_the_median_of_todays_closed_conversations(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    for seconds in (10, 20, 600):
        closed(step, agent, NOW, answered_after=timedelta(seconds=seconds))
    closed(step, agent, NOW)
    assert queries.board(manager, at=NOW).today.first_response == timedelta(seconds=20)


def test_csat_and_nps_of_today_are_shown(step: RuleStep, agent: Agent, manager: User) -> None:
    empty = queries.board(manager, at=NOW).today
    assert (empty.csat, empty.nps, empty.first_response) == (None, None, None)
    for csat, nps in ((5, 10), (4, 9), (2, 3), (None, 7)):
        conversation = closed(step, agent, NOW, answered_after=timedelta(seconds=5))
        surveys.answer(conversation.pk, csat=csat, nps=nps, comment="", at=NOW)
    today = queries.board(manager, at=NOW).today
    assert (round(today.csat or 0), today.csat_answers) == (67, 3)
    assert (today.nps, today.nps_answers) == (25, 4)


def test_managers_see_their_websites_and_administrators_all(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    queued(step)
    foreign = StepFactory()
    queued(foreign)
    admin = UserFactory(role=Role.ADMIN)
    assert queries.board(manager, at=NOW).waiting == 1
    assert queries.board(admin, at=NOW).waiting == 2
    assert queries.board(agent.user, at=NOW).waiting == 0


def test_each_manager_sees_an_agents_work_for_their_own_group(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    """Except how full the desk is, which explains why the agent gets nothing."""
    other = StepFactory(rule__website=step.rule.website)
    other.group.members.add(agent)
    boss = UserFactory(role=Role.MANAGER)
    other.group.managers.add(boss)
    connect(agent)
    for one, times in ((step, 1), (other, 2)):
        for _ in range(times):
            done = closed(one, agent, NOW, answered_after=timedelta(seconds=5))
            surveys.answer(done.pk, csat=5 if one == step else 1, nps=9, comment="", at=NOW)
            on_desk(one, agent)
    for user, n, csat in ((manager, 1, 100.0), (boss, 2, 0.0)):
        [row] = queries.board(user, at=NOW).agents
        assert (row.today.contacts, row.today.csat, row.on_desk) == (n, csat, n)
        assert [one.active for one in row.channels] == [3]


@pytest.mark.parametrize("role", QUERIES)
@pytest.mark.parametrize("sees_a_part", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_the_board_takes_a_constant_number_of_queries(
    step: RuleStep,
    manager: User,
    role: Role,
    sees_a_part: bool,
    count: int,
    django_assert_num_queries: Any,
) -> None:
    manager.role = role
    manager.save()
    if sees_a_part:
        StepFactory(rule=step.rule)
    for _ in range(count):
        agent = AgentFactory()
        step.group.members.add(agent)
        connect(agent)
        for status in Status:
            in_status(status, step, agent)
    names = sees_a_part and role == Role.MANAGER
    with django_assert_num_queries(QUERIES[role] + names):
        queries.board(manager, at=NOW)


@pytest.mark.usefixtures("clock")
def test_supervisors_get_the_page_and_its_fragment(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    in_status(Status.SNOOZED, step, agent)
    client = Client()
    client.force_login(manager)
    page = client.get("/reports/production/").content.decode()
    fragment = client.get("/reports/production/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" in page
    assert "<html" not in fragment
    assert 'id="board"' in fragment
    assert "Read" in fragment
    assert client.post("/reports/production/").status_code == 405


def test_the_board_refuses_agents_and_anonymous_users(agent: Agent) -> None:
    client = Client()
    assert client.get("/reports/production/").status_code == 302
    client.force_login(agent.user)
    assert client.get("/reports/production/").status_code == 404


def test_each_table_has_a_cell_under_each_heading(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    connect(agent)
    on_desk(step, agent)
    queued(step, at=NOW)
    client = Client()
    client.force_login(manager)
    page = client.get("/reports/production/").content.decode()
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert len(tables) == 2
    for table in tables:
        head, *lines = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        widths = {len(re.findall(r"<t[hd][ >]", line)) for line in lines}
        assert widths == {len(re.findall(r"<th[ >]", head))}, head


def test_the_board_can_be_filtered_by_website_group_and_name(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    """Everything on it, including the day's performance; another manager's group is no choice."""
    other = StepFactory(rule__website=step.rule.website, places=5)
    foreign = StepFactory()
    for one in (other, foreign):
        one.group.members.add(AgentFactory(display_name="Bruno"))
    for one in (step, other, foreign):
        one.group.managers.add(manager)
        connect(one.group.members.get())
        queued(one)
        in_status(Status.SNOOZED, one, one.group.members.get())
        closed(one, one.group.members.get(), NOW, answered_after=timedelta(seconds=5))

    def counts(view: View) -> tuple[int, int, int, int, int, int]:
        board = queries.board(manager, at=NOW, view=view)
        assert board.waiting == len(board.waits.longest)
        return (
            board.waiting,
            len(board.snoozed),
            board.today.closed,
            len(board.queues),
            len(board.agents),
            board.crowd.connected,
        )

    assert counts(View()) == (3, 3, 3, 3, 3, 3)
    assert counts(View(website=step.rule.website_id)) == (2, 2, 2, 2, 2, 2)
    assert counts(View(group=other.group_id)) == (1, 1, 1, 1, 1, 1)
    assert counts(View(agent="ali")) == (3, 3, 3, 3, 1, 1)
    stranger = UserFactory(role=Role.MANAGER)
    step.group.managers.set([stranger])
    client = Client()
    client.force_login(stranger)
    answer = client.get(f"/reports/production/?group={foreign.group_id}")
    assert answer.status_code == 400
    assert foreign.group.name not in answer.content.decode()
    assert step.group.name in client.get("/reports/production/").content.decode()


def test_agents_are_paginated_with_lost_desks_first(
    step: RuleStep, agent: Agent, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AGENTS_LIMIT", 2)
    for name in ("Zoé", "Bruno", "Carla"):
        one = AgentFactory(display_name=name)
        step.group.members.add(one)
        if name == "Zoé":
            on_desk(step, one)
        else:
            connect(one)
    connect(agent)

    def names(page: int) -> tuple[list[str], int, int]:
        board = queries.board(manager, at=NOW, view=View(page=page))
        return [row.name for row in board.agents], board.crowd.page, board.crowd.pages

    assert names(1) == (["Zoé", "Alice"], 1, 2)
    assert names(2) == (["Bruno", "Carla"], 2, 2)
    assert names(9) == names(2)
    assert queries.board(manager, at=NOW).crowd.connected == 3


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", states.STATES)
def test_each_live_figure_opens_as_many_conversations_as_it_counts(
    step: RuleStep, agent: Agent, manager: User, name: str
) -> None:
    """B10, for every state and narrowed to a group."""
    other = StepFactory(rule__website=step.rule.website)
    other.group.members.add(agent)
    other.group.managers.add(manager)
    for one in (step, other):
        for status in Status:
            in_status(status, one, agent)
    queued(StepFactory())
    client = Client()
    client.force_login(manager)
    for query in ("", f"group={other.group_id}", f"website={step.rule.website_id}"):
        board = client.get(f"/reports/production/?{query}").content.decode()
        match = re.search(rf'/reports/production/{name}/\?{query}">(\d+)', board)
        assert match is not None
        page = client.get(f"/reports/production/{name}/?{query}")
        assert page.context["page"].paginator.count == int(match[1])
        assert int(match[1]) > 0 or (name, bool(query)) == ("bot", True)  # A bot has no group.
        assert len(page.context["lines"]) == int(match[1])
    client.force_login(agent.user)
    assert client.get(f"/reports/production/{name}/").status_code == 404


TODAY = ("closed", "first_response", "resolution", "contacts_per_conversation", "csat", "nps")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", TODAY)
def test_each_figure_of_today_opens_its_rows(
    step: RuleStep, agent: Agent, manager: User, name: str
) -> None:
    for number in range(3):
        one = closed(step, agent, NOW, answered_after=timedelta(seconds=5))
        surveys.answer(one.pk, csat=5 - number, nps=9, comment="", at=NOW)
    closed(step, agent, NOW - timedelta(days=1))
    client = Client()
    client.force_login(manager)
    board = client.get("/reports/production/").content.decode()
    link = re.search(rf'href="(/reports/rows/{name}/[^"]*)">', board)
    assert link is not None
    behind = client.get(unescape(link[1]))
    assert behind.context["page"].paginator.count == 3
    assert client.get("/reports/production/happiness/").status_code == 404


@pytest.mark.usefixtures("clock")
def test_an_unchanged_board_is_not_sent_again(step: RuleStep, agent: Agent, manager: User) -> None:
    client = Client()
    client.force_login(manager)
    headers = {"HX-Request": "true"}
    first = client.get("/reports/production/", headers=headers)
    again = {"HX-Request": "true", "X-Seen": first["X-Seen"]}
    assert client.get("/reports/production/", headers=again).status_code == 204
    queued(step, at=NOW)
    assert client.get("/reports/production/", headers=again).status_code == 200
