"""The tables of the board and of the queue-size page as files: complete, for all who see them."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from accounts.models import Agent, Role, User
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Status
from conversations.models import Visitor
from reporting.board import queries, states
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, connect, in_status, queued

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
TABLES = ("queues", "agents", *states.STATES)


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory(
        places=2, rule__name="=Accueil", group__name="SAV", rule__website__name="Maison"
    )


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="@Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER, timezone="Europe/Paris")
    step.group.managers.add(user)
    return user


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lines(user: User, address: str, **headers: str) -> list[list[str]]:
    answer = as_user(user).get(f"/reports/{address}", headers=headers)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def test_the_queue_table_contains_counts_and_waits(step: RuleStep, manager: User) -> None:
    for _number in range(2):
        queued(step, at=NOW - timedelta(minutes=5))
    assert lines(manager, "production/queues.csv") == [
        [
            "Rule",
            "Group",
            "Waiting",
            "Places",
            "Returns",
            "Not heard from again",
            "Longest wait (s)",
        ],
        ["'=Accueil", "SAV", "2", "2", "0", "0", "300"],
    ]
    french = lines(manager, "production/queues.csv", **{"accept-language": "fr"})
    assert french[0][-1] == "Plus longue attente (s)"


def test_the_agent_table_is_not_limited_to_the_page_of_the_board(
    step: RuleStep, agent: Agent, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AGENTS_LIMIT", 1)
    connect(agent)
    in_status(Status.ACTIVE, step, agent)
    bruno = AgentFactory(display_name="Bruno")
    step.group.members.add(bruno)
    connect(bruno)
    page = as_user(manager).get("/reports/production/").content.decode()
    assert "Bruno" not in page
    head, *rows = lines(manager, "production/agents.csv?page=2")
    assert [line[:2] for line in rows] == [["'@Alice", "connected"], ["Bruno", "connected"]]
    chat = head.index("Chat")
    assert head[chat + 1 : chat + 3] == ["Chat, on desk", "Chat, slots"]
    assert rows[0][chat] in {"available", "full", "unavailable"}
    assert rows[0][chat + 1] == rows[0][head.index("On desk")] == "1"
    assert {len(line) for line in rows} == {len(head)}
    assert [line[0] for line in lines(manager, "production/agents.csv?agent=bru")[1:]] == ["Bruno"]


def test_a_state_table_is_complete_and_uses_the_websites_time_zone(
    step: RuleStep, agent: Agent, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.board.waits.LIMIT", 1)
    monkeypatch.setattr("reporting.board.views.LINES", 1)
    step.places = 9
    step.save()
    numbers = [queued(step, at=NOW - timedelta(hours=1)).pk for _number in range(3)]
    Visitor.objects.update(name="=1+1")
    head, *rows = lines(manager, "production/waiting.csv")
    assert [int(line[0]) for line in rows] == numbers
    one = dict(zip(head, rows[0], strict=True))
    assert one["Visitor"].startswith("'=1+1")
    assert (one["State"], one["Website"], one["Group"]) == ("Waiting", "Maison", "SAV")
    assert (one["Since"], one["For (s)"]) == ("2035-03-05 09:00:00", "3600")


def test_a_snoozed_conversation_shows_its_end(step: RuleStep, agent: Agent, manager: User) -> None:
    one = in_status(Status.ACTIVE, step, agent)
    until = NOW + timedelta(hours=3)
    actor = actors.agent(agent.user)
    verbs.snooze(one.pk, until=until, keep=True, auto_close=False, actor=actor, at=NOW)
    head, line = lines(manager, "production/snoozed.csv")
    cells = dict(zip(head, line, strict=True))
    assert (cells["Kept"], cells["Agent"], cells["Until"]) == (
        "yes",
        "'@Alice",
        "2035-03-05 13:00:00",
    )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_the_board_can_be_downloaded(
    step: RuleStep, agent: Agent, manager: User, name: str, kind: str
) -> None:
    for status in Status:
        in_status(status, step, agent)
    answer = as_user(manager).get(f"/reports/production/{name}.{kind}")
    assert answer.status_code == 200
    assert f'filename="{name}-20350305-1000.{kind}"' in answer["Content-Disposition"]
    if kind == "xlsx":
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    else:
        assert len(answer.content.decode().splitlines()) >= 2


def test_filters_apply_to_the_files_and_others_have_no_access(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    other = StepFactory(rule__name="Autre")
    queued(step)
    foreign = queued(other)
    assert len(lines(manager, "production/waiting.csv")) == 2
    for narrowed in (f"website={other.rule.website_id}", f"group={other.group_id}"):
        for name in TABLES:
            refused = as_user(manager).get(f"/reports/production/{name}.csv?{narrowed}")
            assert refused.status_code == 400  # not on offer to them (C61)
            assert "Autre" not in refused.content.decode()
    admin = UserFactory(role=Role.ADMIN)
    [_head, line] = lines(admin, f"production/queues.csv?website={other.rule.website_id}")
    assert line[0] == "Autre"
    for narrowed in (f"website={other.rule.website_id}", f"group={other.group_id}"):
        [_head, line] = lines(admin, f"production/waiting.csv?{narrowed}")
        assert line[0] == str(foreign.pk)
    assert len(lines(admin, "production/waiting.csv")) == 3
    for name in TABLES:
        assert as_user(agent.user).get(f"/reports/production/{name}.csv").status_code == 404
        assert Client().get(f"/reports/production/{name}.csv").status_code == 302
    for wrong in ("queues.exe", "nothing.csv"):
        assert as_user(manager).get(f"/reports/production/{wrong}").status_code == 404


def test_every_page_links_to_its_files(step: RuleStep, agent: Agent, manager: User) -> None:
    connect(agent)
    for status in (Status.QUEUED, Status.SNOOZED, Status.ACTIVE):
        in_status(status, step, agent)
    client, query = as_user(manager), f"website={step.rule.website_id}"
    page = client.get(f"/reports/production/?{query}").content.decode()
    for name in ("queues", "agents", "waiting", "snoozed"):
        assert f'href="/reports/production/{name}.xlsx?{query}"' in page
    page = client.get(f"/reports/production/active/?{query}").content.decode()
    assert f'href="/reports/production/active.csv?{query}"' in page
    page = client.get("/reports/queue-size/").content.decode()
    assert f'href="/reports/queue-size.csv?website={step.rule.website.key}"' in page


def test_the_agent_file_takes_a_constant_number_of_queries(
    step: RuleStep, agent: Agent, manager: User, django_assert_num_queries: object
) -> None:
    assert callable(django_assert_num_queries)
    client = as_user(manager)
    connect(agent)
    with django_assert_num_queries(14):
        client.get("/reports/production/agents.csv")
    for _number in range(2):
        more = AgentFactory()
        step.group.members.add(more)
        connect(more)
    with django_assert_num_queries(14):
        assert len(client.get("/reports/production/agents.csv").content.splitlines()) == 4


def test_the_shares_of_places_can_be_downloaded(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    asked = "agents=2&per_hour=5&off_peak_hours=4"
    head, line = lines(manager, f"queue-size.csv?{asked}")
    assert head == [*("Rule", "Group", "Visitors", "Places today", "Starting size", "Full size")]
    assert (line[:2], line[3], line[5]) == (["'=Accueil", "SAV"], "2", "40")
    client = as_user(manager)
    assert client.get(f"/reports/queue-size.xlsx?{asked}").status_code == 200
    assert client.get("/reports/queue-size.exe").status_code == 404
    other = StepFactory()
    assert (
        client.get(f"/reports/queue-size.csv?website={other.rule.website.key}").status_code == 404
    )
    assert as_user(agent.user).get("/reports/queue-size.csv").status_code == 404


def test_the_replay_can_be_downloaded_after_its_calculation(step: RuleStep, manager: User) -> None:
    from reporting.simulator import run_simulation

    key = step.rule.website.key
    address = f"/reports/queue-size/replay.csv?website={key}&places=10&places=20"
    early = as_user(manager).get(address)
    assert (early.status_code, early["Location"]) == (302, f"/reports/queue-size/?website={key}")
    cache.clear()
    website = step.rule.website
    run_simulation.run(website.pk, [10, 20], f"simulation:{website.pk}::10:20", at=NOW)
    head, *rows = lines(manager, address.removeprefix("/reports/"))
    assert head[:3] == ["What would have happened", "Places", "Visitors"]
    assert [line[:2] for line in rows] == [
        ["Actual", ""],
        ["Today’s places", "2"],
        ["Starting size", "10"],
        ["Full size", "20"],
    ]


def test_the_board_and_its_files_use_the_visitors_alias(step: RuleStep, manager: User) -> None:
    """C67: by the alias, in the reader's language."""
    visitor = queued(step).visitor
    for language in ("en", "fr"):
        with translation.override(language):
            alias = visitor.shown_name
        headers = {"accept-language": language}
        assert lines(manager, "production/waiting.csv", **headers)[1][2] == alias
        for address in ("production/", "production/waiting/"):
            page = as_user(manager).get(f"/reports/{address}", headers=headers)
            assert alias in page.content.decode()
