"""Every table of the reports as a file: the page's own cells, for everyone who sees the page."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from django.test import Client

from accounts.models import Role, User
from conversations.lifecycle import actors, verbs
from conversations.models import CloseReason
from reporting import figures
from reporting.reports import sheets
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def step() -> RuleStep:
    step = StepFactory(rule__website__name="=Maison", group__name="SAV")
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    one = on_desk(step, agent, at=NOW)
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW)
    return step


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER)
    step.group.managers.add(user)
    return user


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lines(user: User, address: str) -> list[list[str]]:
    answer = logged_in(user).get(address)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def test_a_table_by_group_has_the_cells_of_the_page(manager: User) -> None:
    head, line = lines(manager, "/reports/tables/conversations.csv?period=today&by=group")
    assert head[:3] == ["Group", "Conversations opened", "Conversations closed"]
    assert line[:3] == ["SAV", "1.0", "1.0"]
    head, line = lines(manager, "/reports/tables/agents.csv?period=today")
    assert (head[0], line[0], line[1]) == ("Agent", "Alice", "1.0")


def test_a_report_can_be_broken_down_by_website(manager: User) -> None:
    _head, line = lines(manager, "/reports/tables/conversations.csv?period=today&by=website")
    assert line[:3] == ["'=Maison", "1.0", "1.0"]
    page = logged_in(manager).get("/reports/conversations/?period=today&by=website")
    assert "=Maison" in page.content.decode()


def test_the_table_of_a_chart_has_a_line_for_each_bucket(manager: User) -> None:
    head, *rows = lines(manager, "/reports/charts/closed.csv?period=7")
    assert head == ["When", "Conversations closed", "Counted", "Before"]
    assert [line[0] for line in rows][-1] == "2035-03-05"
    assert [line[1] for line in rows] == ["0.0"] * 6 + ["1.0"]
    hours = lines(manager, "/reports/charts/closed.csv?period=today&step=hour")
    assert hours[11][:2] == ["2035-03-05 10:00:00", "1.0"]
    page = logged_in(manager).get("/reports/conversations/?period=today&step=hour")
    assert "Mon 10:00: 1" in page.content.decode()  # by Paris time, on the page too


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "path",
    [
        *(f"tables/{name}" for name in (*sheets.CUTS, *sheets.OTHER_SHEETS)),
        *(f"charts/{name}" for name in figures.FIGURES),
    ],
)
def test_every_table_can_be_downloaded(manager: User, path: str, kind: str) -> None:
    answer = logged_in(manager).get(f"/reports/{path}.{kind}?period=today")
    assert answer.status_code == 200
    name = path.partition("/")[2]
    assert f'filename="{name}-20350305-20350305.{kind}"' in answer["Content-Disposition"]
    if kind == "xlsx":
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_breakdowns_have_their_parts(manager: User) -> None:
    assert lines(manager, "/reports/tables/closures.csv?period=today") == [
        ["Reason", "By", "Closures", "Share"],
        ["Resolved", "Agent", "1", "100.0"],
    ]
    waits = lines(manager, "/reports/tables/waits.csv?period=today")
    assert (len(waits), {len(line) for line in waits}) == (8, {25})
    assert waits[1][11] == "0.0"  # on Monday at ten, by Paris time


def test_agents_have_only_their_own_charts(step: RuleStep) -> None:
    alice, stranger = step.group.members.get(), AgentFactory()
    for name in (*sheets.CUTS, *sheets.OTHER_SHEETS, "happiness"):
        assert logged_in(alice.user).get(f"/reports/tables/{name}.csv").status_code == 404
    for user, wanted in ((alice.user, "1.0"), (stranger.user, "0.0")):
        assert lines(user, "/reports/charts/closed.csv?period=today&step=day")[1][1] == wanted
    assert logged_in(alice.user).get("/reports/charts/closed.exe").status_code == 404
    assert Client().get("/reports/charts/closed.csv").status_code == 302
