"""Parameters are read strictly: pages, files and the API answer 400 and name the error (C61)."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from reporting.models import Export
from reporting.reports.filters import Choices, chosen
from reporting.reports.parameters import faults_of
from reporting.templatetags.figures import narrowed
from routing.models import RuleStep
from tests.factories import StepFactory, UserFactory

pytestmark = pytest.mark.django_db

WRONG = {
    "first=2026-01-01": "first",
    "last=2026-01-01": "last",
    "first=2026-01-01&last=2026-01-02": "period=custom",
    "period=today&first=2026-01-01": "first",
    "period=custom&first=2026-02-30&last=2026-03-01": "first",
    "period=custom&first=2026-01-01&last=tomorrow": "last",
    "period=custom&first=28/11/2026&last=2026-11-29": "first",
    "period=custom&first=2026-01-02&last=2026-01-01": "first",
    "period=custom&first=2026-01-01": "last",
    "period=custom&first=0001-01-01&last=0001-01-02": "first",
    "period=custom&first=9999-12-30&last=9999-12-31": "first",
    "period=custom": "first",
    "perod=today": "period",
    "Period=today": "period",
    "from=2026-01-01": "from",
    "websites=1": "website",
    "period=lastweek": "period",
    "period=today&period=7": "period",
    "group=1&group=2": "group",
    "group=1&group=1": "group",
    "group=x": "group",
    "website=999999999999999999999999": "website",
    "step=second": "step",
    "by=grop": "by",
    "currency=euro": "currency",
    "language=klingon": "language",
    "style=fast": "style",
    "%00=1": "",
    "agent=%00": "agent",
}
PAGES = [
    "experience/",
    "conversations/",
    "agents/",
    "calls/",
    "deflection/",
    "transactions/",
    "rows/closed/",
]
FILES = [
    *("charts/closed.svg", "charts/closed.csv", "charts/closed.xlsx"),
    *("tables/conversations.csv", "tables/closures.xlsx", "rows/closed.csv", "rows/closed.xlsx"),
]
API = ["figures/closed/", "tables/conversations.csv", "charts/closed.xlsx"]
ADDRESSES = [f"/reports/{one}" for one in PAGES + FILES] + [f"/api/v1/{one}" for one in API]


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def boss(step: RuleStep) -> Client:
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN, language="en"))
    return client


@pytest.mark.parametrize("query", WRONG)
def test_an_invalid_parameter_is_named(boss: Client, query: str) -> None:
    """At every address for a few faults; at a page and the API for all."""
    everywhere = query in {"first=2026-01-01", "perod=today", "group=1&group=2", "by=grop"}
    for address in ADDRESSES if everywhere else (ADDRESSES[1], ADDRESSES[-3]):
        answer = boss.get(f"{address}?{query}", headers={"Accept-Language": "en"})
        assert answer.status_code == 400, address
        error = unescape(answer.content.decode())
        if address.startswith("/api/"):
            error = answer.json()["error"]["message"]
        assert f"“{WRONG[query]}" in error or f"{WRONG[query]}”" in error, (address, error)


@pytest.mark.parametrize("query", WRONG)
def test_invalid_parameters_create_no_export(boss: Client, query: str) -> None:
    for kind in ("csv", "xlsx"):
        assert boss.post(f"/reports/exports/closed.{kind}?{query}").status_code == 400
    wish = QueryDict(query).dict() | {"subject": "closed", "kind": "csv"}
    if "=1&" not in query and query != "period=today&period=7":  # JSON cannot repeat a name
        answer = boss.post("/api/v1/exports/", wish, content_type="application/json")
        assert answer.status_code == 400
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "query", ["grop=1", "group=1&group=2", "website=x", "group=999999", "page=0", "page=x"]
)
def test_the_board_refuses_invalid_parameters(boss: Client, query: str) -> None:
    for address in ("", "waiting/", "queues.csv", "agents.xlsx", "waiting.csv"):
        assert boss.get(f"/reports/production/{address}?{query}").status_code in (
            (200, 400) if "page" in query else (400,)
        ), address


def test_the_queue_size_page_refuses_invalid_parameters(boss: Client, step: RuleStep) -> None:
    for address in ("", "replay/"):
        for query in ("webiste=x", "website=a&website=b", "place=3"):
            answer = boss.get(f"/reports/queue-size/{address}?{query}")
            assert answer.status_code == 400, (address, query)
    assert boss.get("/reports/queue-size/?per_hour=much").status_code == 422


def test_errors_are_translated_into_french(boss: Client) -> None:
    french = {"accept-language": "fr"}
    answer = boss.get("/api/v1/figures/closed/?perod=7", headers=french)
    error = "Le paramètre «\u00a0perod\u00a0» n’existe pas."
    assert answer.json()["error"]["message"].startswith(error)
    assert error in unescape(
        boss.get("/reports/experience/?perod=7", headers=french).content.decode()
    )


def test_valid_parameters_are_accepted(boss: Client, step: RuleStep) -> None:
    website = step.rule.website_id
    for query in (
        "",
        "period=&first=&last=&group=",  # a form without script sends empty fields, too
        f"period=custom&first=2026-02-01&last=2026-02-28&website={website}&by=agent",
        f"period=30&group={step.group_id}&step=week&language=fr&style=live&currency=EUR",
    ):
        for address in ADDRESSES:
            assert boss.get(f"{address}?{query}").status_code == 200, (address, query)


def test_an_invalid_form_selects_no_website(step: RuleStep) -> None:
    user = UserFactory(role=Role.ADMIN)
    form = Choices(QueryDict("perod=7"), user=user, at=timezone.now())
    assert chosen(form).scope.websites == ()


def test_a_narrowed_query_contains_each_parameter_once() -> None:
    assert narrowed("period=7&group=1", "group=2") == "period=7&group=2"
    assert narrowed("", "group=2") == "group=2"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("period=7", {}),
        ("places=1&places=2", {}),
        ("perod=7", {"perod": "Did you mean “period”?"}),
        ("x=7", {"x": "parameter “x” does not exist"}),
        ("period=7&period=7", {"period": "more than once"}),
    ],
)
def test_misspelt_and_repeated_names_are_reported(query: str, expected: dict[str, str]) -> None:
    faults: Any = faults_of(QueryDict(query), ["period", "places"], many=["places"])
    assert faults.keys() == expected.keys()
    compare: Callable[[str], bool] = lambda name: expected[name] in faults[name]  # noqa: E731
    assert all(map(compare, expected))
