"""The reports' pages: who sees what, that each figure leads to its rows, with how many queries."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from html import unescape
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Agent, Role, User
from conversations import surveys
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Author, Call, CloseReason, Conversation
from reporting import figures
from reporting.models import Origin
from reporting.sales import recording
from reporting.sales.recording import Purchase
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PAGES = ("experience", "conversations", "agents", "calls", "deflection", "transactions")


@pytest.fixture
def step() -> RuleStep:
    return StepFactory(places=2)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def manager(step: RuleStep) -> Client:
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    return logged_in(manager)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def handled(step: RuleStep, agent: Agent, *, csat: int = 5, comment: str = "") -> Conversation:
    """Create a conversation answered after two minutes, closed after an hour, rated."""
    one = on_desk(step, agent, at=NOW - timedelta(hours=1))
    sending.add(
        one.pk,
        author=Author.AGENT,
        body="Bonjour",
        client_id=uuid.uuid4(),
        at=NOW - timedelta(minutes=58),
    )
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=NOW)
    surveys.answer(one.pk, csat=csat, nps=9, comment=comment, at=NOW)
    return one


def text_of(client: Client, address: str, *, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    body = response.content.decode()
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_for_an_empty_website(manager: Client, page: str) -> None:
    assert "Last 7 days" in text_of(manager, f"/reports/{page}/")


def test_the_experience_report_shows_comments(
    manager: Client, step: RuleStep, agent: Agent
) -> None:
    one = handled(step, agent, comment="<b>Parfait</b>")
    handled(step, agent, csat=2)
    text = text_of(manager, "/reports/experience/")
    assert "50 %" in text
    assert "<b>Parfait</b>" in text
    assert f"#{one.pk}" in text
    assert "2 min" in text
    assert "1 h" in text


def test_the_report_of_calls_shows_how_soon_they_were_answered_and_how_good_they_were(
    manager: Client, step: RuleStep, agent: Agent
) -> None:
    one = handled(step, agent)
    rang_at = NOW - timedelta(minutes=50)
    Call.objects.create(
        conversation=one,
        agent=agent,
        begun_by="visitor",
        has_video=False,
        status="ended",
        end="hung_up",
        rang_at=rang_at,
        answered_at=rang_at + timedelta(seconds=12),
        ended_at=rang_at + timedelta(seconds=12, minutes=7),
        visitor_loss=2.5,
        agent_round_trip=85,
    )
    text = text_of(manager, "/reports/calls/")
    for shown in ("7 min", "12 s", "2.5 %", "85 ms"):
        assert shown in text
    assert f"#{one.pk}" in text_of(manager, "/reports/rows/call_round_trip/")


@pytest.mark.parametrize("name", figures.FIGURES)
def test_every_figure_opens_its_rows_and_shows_its_definition(
    manager: Client, step: RuleStep, agent: Agent, name: str
) -> None:
    handled(step, agent)
    figure = figures.FIGURES[name]
    text = text_of(manager, f"/reports/rows/{name}/?period=today")
    assert figure.definition[0] in text
    counted = re.search(r"(\d+) rows? in this figure", text)
    assert counted is not None
    assert text.count(" #") == int(counted[1])


@pytest.mark.parametrize("is_admin", [True, False])
def test_the_rows_of_a_former_member_can_be_opened(
    manager: Client, step: RuleStep, agent: Agent, is_admin: bool
) -> None:
    """Former members are no longer choices but remain in the figures, except for readers who never
    oversaw them."""
    reader = logged_in(UserFactory(role=Role.ADMIN)) if is_admin else manager
    elsewhere = StepFactory()
    StepFactory(group__website=step.group.website)  # of which the manager sees a part
    bruno, carl = AgentFactory(display_name="Bruno"), AgentFactory(display_name="Carl")
    elsewhere.group.members.add(carl)
    for one, his_step in ((agent, step), (bruno, step), (carl, elsewhere)):
        handled(his_step, one)
    table = reader.get("/reports/agents/?period=today").content.decode()
    links = re.findall(r'href="(/reports/rows/handled/\?[^"]*agent=\d+)"', table)
    counts = {text_of(reader, unescape(link)).count("1 row in this figure") for link in links}
    assert (len(links), counts) == (3 if is_admin else 2, {1})
    narrowed = reader.get(f"/reports/rows/handled/?period=today&agent={bruno.pk}").content.decode()
    assert f'<option value="{bruno.pk}" selected>Bruno</option>' in narrowed
    assert "Bruno</option>" not in table
    address = f"/reports/rows/handled/?period=today&agent={carl.pk}"
    stranger = text_of(reader, address, status=200 if is_admin else 400)
    assert ("Carl" in stranger) is is_admin


def test_transactions_are_listed_with_their_attribution(
    manager: Client, step: RuleStep, agent: Agent
) -> None:
    one = handled(step, agent)
    for number, visitor in (("CMD-1", one.visitor), ("CMD-2", None)):
        recording.record(
            step.rule.website,
            Purchase(number, Decimal("1089.90"), "EUR", NOW),
            visitor=visitor,
            origin=Origin.SCRIPT,
            at=NOW,
        )
    for address in ("/reports/transactions/?by=agent", "/reports/rows/transactions/"):
        text = text_of(manager, address)
        assert "CMD-1 1,089.90 EUR Attributed · message 1 58 min / 2 d" in text
        assert "CMD-2 1,089.90 EUR Unknown customer" in text
    assert "50 %" in text_of(manager, "/reports/transactions/")


def test_an_unknown_figure_is_not_found(manager: Client) -> None:
    assert manager.get("/reports/rows/happiness/").status_code == 404


def test_managers_see_their_websites_only(manager: Client, agent: Agent, step: RuleStep) -> None:
    foreign = StepFactory()
    stranger = AgentFactory(display_name="Zoé")
    foreign.group.members.add(stranger)
    handled(foreign, stranger, comment="secret")
    for address in (
        *(f"/reports/{page}/" for page in PAGES),
        "/reports/rows/comments/",
        f"/reports/experience/?website={foreign.rule.website.pk}",
        f"/reports/experience/?group={foreign.group.pk}",
        f"/reports/rows/comments/?agent={stranger.pk}",
    ):
        text = text_of(manager, address, status=400 if "?" in address else 200)
        assert "secret" not in text
        assert "Zoé" not in text
        assert foreign.group.name not in text
    assert "secret" in text_of(logged_in(UserFactory(role=Role.ADMIN)), "/reports/experience/")


def test_agents_see_only_their_own_figures(step: RuleStep, agent: Agent) -> None:
    other = AgentFactory(display_name="Bruno")
    step.group.members.add(other)
    handled(step, agent, comment="pour Alice")
    handled(step, other, comment="pour Bruno", csat=1)
    client = logged_in(agent.user)
    for page in (*PAGES, "production"):
        assert client.get(f"/reports/{page}/").status_code == 404
    text = text_of(client, "/reports/")
    assert "pour Alice" in text
    assert "pour Bruno" not in text
    rows = text_of(client, f"/reports/rows/comments/?agent={other.pk}")
    assert "pour Alice" in rows
    assert "pour Bruno" not in rows


def test_users_without_an_agent_see_no_figures(step: RuleStep, agent: Agent) -> None:
    handled(step, agent, comment="secret")
    assert "secret" not in text_of(logged_in(UserFactory()), "/reports/rows/comments/")
    assert Client().get("/reports/").status_code == 302


def test_supervisors_are_redirected_to_the_board(manager: Client) -> None:
    assert manager.get("/reports/").headers["Location"] == "/reports/production/"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("period=custom", "Choose the first and the last day"),
        ("period=custom&first=2035-03-05&last=2035-03-01", "after the last one"),
        ("period=custom&first=2000-01-01&last=2035-03-01", "choose up to three years"),
        ("website=1' OR 1=1", "Website"),
        ("agent=agent__user__password", "Agent"),
        ("style=pay_later", "Style"),
        ("step=second", "Trend by"),
    ],
)
def test_an_invalid_choice_is_reported(manager: Client, query: str, error: str) -> None:
    assert error in text_of(manager, f"/reports/conversations/?{query}", status=400)


@pytest.mark.parametrize(
    "query",
    [
        "period=today",
        "period=yesterday",
        "period=30&step=week",
        "period=month&step=hour",
        "period=last_month&by=agent",
        "period=365&by=language",
        "period=custom&first=2035-03-01&last=2035-03-05&by=style",
        "page=-3",
    ],
)
def test_every_choice_can_be_displayed(
    manager: Client, step: RuleStep, agent: Agent, query: str
) -> None:
    handled(step, agent)
    for page in PAGES:
        assert manager.get(f"/reports/{page}/?{query}").status_code == 200
    assert manager.get(f"/reports/rows/closed/?{query}").status_code == 200


@pytest.mark.parametrize("page", ["experience", "conversations", "agents", "rows/closed"])
def test_reports_take_a_constant_number_of_queries(
    manager: Client, step: RuleStep, page: str
) -> None:
    counts = []
    for more in (1, 2):
        for _ in range(more):
            other = StepFactory(rule__website=step.rule.website)
            agent = AgentFactory()
            other.group.members.add(agent)
            handled(other, agent, comment="Merci")
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(f"/reports/{page}/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] < 60


def test_a_chart_can_be_downloaded_as_svg(manager: Client) -> None:
    answer = manager.get("/reports/charts/csat.svg", {"period": "7"})
    assert answer["Content-Type"] == "image/svg+xml"
    assert 'filename="csat-' in answer["Content-Disposition"]
    picture = ElementTree.fromstring(answer.content)
    assert picture.findtext("{http://www.w3.org/2000/svg}title") == "Satisfaction (CSAT)"
    assert b"style" not in answer.content
    assert manager.get("/reports/charts/happiness.svg").status_code == 404


@pytest.mark.parametrize(
    "query", ["period=today", "period=custom&first=2026-03-02&last=2026-03-04"]
)
def test_an_empty_report_names_what_is_missing_and_the_period(manager: Client, query: str) -> None:
    page = manager.get(f"/reports/conversations/?{query}").content.decode()
    for missing in ("were closed", "were snoozed", "reached a desk"):
        assert re.search(rf"No conversations {missing} (on|from) \d+ \w+ \d{{4}}", page), missing
    assert "No values " in page
    assert '<table class="heat">' not in page
    assert 'class="plot"' not in page
    assert "with these filters" not in page


def test_an_empty_report_mentions_its_filters(manager: Client, agent: Agent) -> None:
    page = manager.get(f"/reports/experience/?agent={agent.pk}").content.decode()
    assert "with these filters. The latest comments appear here." in page


def test_the_board_shows_visitors_in_their_colour(
    manager: Client, step: RuleStep, agent: Agent
) -> None:
    one = on_desk(step, agent)
    tint = f"tint-{one.visitor.tint}"
    assert tint in manager.get("/reports/production/active/").content.decode()
    verbs.snooze(
        one.pk,
        actor=actors.agent(agent),
        at=NOW,
        until=NOW + timedelta(hours=3),
        keep=False,
        auto_close=False,
    )
    assert tint in manager.get("/reports/production/").content.decode()
