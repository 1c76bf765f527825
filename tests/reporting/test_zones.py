"""Websites in several time zones: "today" is each one's own, on the board, in lists, charts,
files."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.http import QueryDict
from django.test import AsyncClient, Client

from accounts.models import Agent, Role, User, Website
from conversations import surveys
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.deadlines import database_now
from conversations.messages import sending
from conversations.models import Author, CloseReason
from reporting import figures
from reporting.exports import writing
from reporting.figures import answers
from reporting.figures.period import Period, TrendUnit
from reporting.reports.filters import Choices, Chosen, chosen
from routing.models import RuleStep
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = pytest.mark.django_db
ZONES = ("Europe/Paris", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
START = datetime(2035, 3, 9, 9, 45, tzinfo=UTC)
"""New York's clocks go forward on the 11th, at 2 in the morning."""
HOUR = timedelta(hours=1)
EVENING = datetime(2035, 3, 9, 18, 5, tzinfo=UTC)
"""In Paris, New York and, for another half hour, in Kolkata it is the 9th, in Auckland the 10th."""


@pytest.fixture
def admin() -> User:
    user: User = UserFactory(role=Role.ADMIN)
    return user


@pytest.fixture
def shops() -> list[tuple[RuleStep, Agent]]:
    pairs = []
    for number, zone in enumerate(ZONES):
        step = StepFactory(
            places=999, rule__website__time_zone=zone, rule__website__name=f"{number} {zone}"
        )
        agent = AgentFactory()
        step.group.members.add(agent)
        pairs.append((step, agent))
    return pairs


def close(step: RuleStep, agent: Agent, at: datetime) -> None:
    one = on_desk(step, agent, at=at - timedelta(minutes=20))
    actor = actors.agent(agent.user)
    sending.add(one.pk, author=Author.AGENT, body="…", client_id=uuid.uuid4(), at=at)
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actor, at=at)
    surveys.answer(one.pk, csat=4, nps=9, comment="Merci", at=at)


def logged_in(user: User, language: str = "en") -> Client:
    """Log in at the test clock's moment."""
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def asked(user: User, query: str, at: datetime) -> Chosen:
    return chosen(Choices(QueryDict(query), user=user, at=at))


def test_a_figure_of_the_board_equals_its_list_at_any_hour(
    admin: User, shops: list[tuple[RuleStep, Agent]]
) -> None:
    happened: list[tuple[Website, datetime]] = []
    for turn in range(27):
        now = START + 2 * turn * HOUR
        with time_machine.travel(now, tick=False):
            for step, agent in shops[turn % 2 :]:
                close(step, agent, now)
                happened.append((step.rule.website, now))
            # Recount by checking each website's own date.
            wanted = sum(
                at.astimezone(website.zone).date() == now.astimezone(website.zone).date()
                for website, at in happened
            )
            client = logged_in(admin)
            board = client.get("/reports/production/").content.decode()
            for name in ("closed", "csat", "contacts_per_conversation"):
                link = re.search(rf'href="(/reports/rows/{name}/[^"]*)">(\d*)', board)
                assert link is not None
                listed = client.get(unescape(link[1])).context["page"].paginator.count
                assert listed == wanted, (name, now)
                assert name != "closed" or int(link[2]) == wanted
            body = client.get("/api/v1/figures/closed/?period=today&step=hour").json()
            assert (body["n"], sum(point["n"] for point in body["trend"])) == (wanted, wanted)


def test_each_website_has_its_own_days(admin: User, shops: list[tuple[RuleStep, Agent]]) -> None:
    def days(query: str, at: datetime) -> list[tuple[date, date]]:
        scope = asked(admin, query, at).scope
        return [(one.first, one.last) for zone in ZONES for one in [scope.days_of(zone)]]

    ninth, tenth = date(2035, 3, 9), date(2035, 3, 10)
    assert days("period=today", EVENING) == [(ninth, ninth)] * 2 + [(tenth, tenth), (ninth, ninth)]
    month = datetime(2035, 2, 28, 12, tzinfo=UTC)
    assert days("period=last_month", month)[1:3] == [
        (date(2035, 1, 1), date(2035, 1, 31)),
        (date(2035, 2, 1), date(2035, 2, 28)),
    ]
    custom = "period=custom&first=2035-03-09&last=2035-03-09"
    assert days(custom, EVENING) == [(ninth, ninth)] * 4
    before = asked(admin, "period=today", EVENING).scope.before
    assert before.days_of("Pacific/Auckland") == Period(ninth, tenth)


@pytest.mark.parametrize("query", ["period=today", "period=7", "period=month"])
@pytest.mark.parametrize("step", list(TrendUnit))
def test_a_trend_adds_up_over_all_time_zones(
    admin: User, shops: list[tuple[RuleStep, Agent]], query: str, step: TrendUnit
) -> None:
    """Whatever the step, nothing is left out and nothing falls into a neighbouring day."""
    for at in (EVENING - 9 * HOUR, EVENING - 4 * HOUR, EVENING):
        for shop in shops:
            close(*shop, at)
    scope = asked(admin, query, EVENING).scope
    figure = figures.FIGURES["closed"]
    trend = answers.trend([figure], scope, step)
    whole = answers.total([figure], scope)["closed"].n
    assert sum(cell["closed"].n for cell in trend.values()) == whole > 3
    if step is TrendUnit.HOUR:
        assert {key.astimezone(scope.zone).minute for key in trend} == {0}  # type: ignore[union-attr]
    if step is TrendUnit.DAY and query == "period=today":
        assert [(key, cell["closed"].n) for key, cell in trend.items()] == [
            (date(2035, 3, 9), 9),
            (date(2035, 3, 10), 2),
        ]


@async_to_sync
async def lines(user: User, path: str) -> int:
    client = AsyncClient()
    await client.aforce_login(user)
    answer: Any = await client.get(path)
    body = b"".join([block async for block in answer.streaming_content])
    return body.count(b"\n") - 1


def test_files_have_the_rows_of_the_list(
    admin: User, shops: list[tuple[RuleStep, Agent]], settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    for at in (EVENING - 26 * HOUR, EVENING - 9 * HOUR, EVENING):
        for shop in shops:
            close(*shop, at)
    with time_machine.travel(EVENING, tick=False):
        client = logged_in(admin)
        listed = client.get("/reports/rows/closed/?period=today").context["page"].paginator.count
        assert listed == 3 + 4
        assert lines(admin, "/reports/rows/closed.csv?period=today") == listed
        for subject in ("closed", "conversations"):
            client.post(f"/reports/exports/{subject}.csv?period=today")
    # However late they are written, they cover the days that were requested.
    assert [writing.write_next(at=database_now()) for _ in range(3)] == [True, True, False]
    with time_machine.travel(EVENING + 40 * HOUR, tick=False):
        for export in admin.exports.all():
            assert lines(admin, f"/reports/exports/{export.pk}/") == listed


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["In each website’s time zone.", "Pacific/Auckland: 10 Mar 2035."]),
        ("fr", ["Dans le fuseau horaire de chaque site.", "Pacific/Auckland\u00a0: 10 mars 2035."]),
    ],
)
def test_the_page_names_its_time_zones(
    admin: User, shops: list[tuple[RuleStep, Agent]], language: str, expected: list[str]
) -> None:
    with time_machine.travel(EVENING, tick=False):
        client = logged_in(admin, language)
        for path in ("/reports/experience/", "/reports/charts/csat.svg"):
            page = client.get(f"{path}?period=today&step=day").content.decode()
            assert " ".join(expected) in page
        page = client.get("/reports/experience/?period=today&step=hour").content.decode()
        assert "Europe/Paris" in page
        here = shops[0][0].rule.website_id
        alone = client.get(f"/reports/experience/?period=today&website={here}").content.decode()
        assert expected[0] not in alone
        assert "Pacific" not in alone.partition("</header>")[0]


def test_the_heat_map_uses_each_websites_local_hours(
    admin: User, shops: list[tuple[RuleStep, Agent]]
) -> None:
    for shop in shops:
        close(*shop, EVENING)
    scope = asked(admin, "period=today", EVENING).scope
    parts = answers.cut([figures.FIGURES["wait"]], scope, answers.BY_HOUR_OF_WEEK)
    at = EVENING - timedelta(minutes=20)
    walls = [at.astimezone(step.rule.website.zone) for step, _agent in shops]
    assert set(parts) == {24 * wall.weekday() + wall.hour for wall in walls}
