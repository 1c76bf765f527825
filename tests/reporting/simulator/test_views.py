"""The queue-size simulator: what it reads from a website's history, and how close its replay
comes."""

from __future__ import annotations

import heapq
import random
import uuid
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Agent, Channel, OpeningHours, Role, User
from config.celery import app
from conversations.lifecycle import actors, verbs
from conversations.models import CloseReason, Conversation
from core.events import bus
from core.rejection import Rejected
from reporting.simulator import advice, history
from reporting.simulator.history import refused_moments
from reporting.simulator.model import Shift
from routing import demand_counter, engagement, presence
from routing.actions import by_agent
from routing.models import HourlyDemand, RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import (
    AgentFactory,
    StepFactory,
    UserFactory,
    VisitorFactory,
    connect,
    on_desk,
    queued,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PARIS = ZoneInfo("Europe/Paris")


def at(minute: float) -> datetime:
    return NOW + minute * MINUTE


# --- What is read, as plain data


def test_refused_visitors_are_spread_evenly_over_the_hour() -> None:
    rows = [
        HourlyDemand(rule_id=7, hour=NOW, pages_engaged=60, pages_refused=10, messages_refused=1),
        HourlyDemand(rule_id=7, hour=NOW + HOUR, pages_engaged=40, pages_refused=20),
        HourlyDemand(rule_id=8, hour=NOW, pages_refused=1000),
    ]
    # 10 conversations of 100 pages with room: a tenth of the 10 + 20 pages would have led to one.
    assert list(refused_moments(rows, {7: 10})) == [
        (at(15), 7),
        (at(45), 7),
        (at(75), 7),
        (at(105), 7),
    ]


def test_refused_visitors_are_limited_to_the_refused_pages() -> None:
    rows = [HourlyDemand(rule_id=7, hour=NOW, pages_engaged=1, pages_refused=2)]
    assert len(list(refused_moments(rows, {7: 50}))) == 2


@pytest.fixture
def step(db: None) -> RuleStep:
    return StepFactory(places=2)


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice", slots=1)
    step.group.members.add(agent)
    return agent


@pytest.fixture
def manager(step: RuleStep) -> User:
    manager = UserFactory(role=Role.MANAGER)
    step.group.managers.add(manager)
    return manager


def closed(step: RuleStep, agent: Agent, start: float, end: float) -> Conversation:
    conversation = on_desk(step, agent, at=at(start))
    return verbs.close(
        conversation.pk, reason=CloseReason.RESOLVED, actor=actors.agent(agent.user), at=at(end)
    )


def test_closings_follow_the_opening_hours(step: RuleStep) -> None:
    group = step.group
    OpeningHours.objects.create(group=group, weekday=0, opens=time(9), closes=time(18))
    day = NOW.astimezone(PARIS).replace(hour=0, minute=0)  # a Monday
    closings = list(history.closings_of(group, day, day + timedelta(days=8)))
    assert [(one.starts_at, one.ends_at) for one in closings] == [
        (day, day + 9 * HOUR),
        (day + 18 * HOUR, day + timedelta(days=7, hours=9)),
        (day + timedelta(days=7, hours=18), day + timedelta(days=8)),
    ]


def test_history_is_limited_to_one_website_and_one_period(step: RuleStep, agent: Agent) -> None:
    foreign = StepFactory()
    foreign.group.members.add(agent)
    closed(step, agent, -3 * 24 * 60, -3 * 24 * 60 + 5)
    elsewhere = closed(foreign, agent, 0, 10)
    closed(step, agent, 10, 20)
    waits = queued(step, at=at(30))
    demand_counter.add(step.rule_id, at=NOW, messages_refused=2)
    demand_counter.add(foreign.rule_id, at=NOW, messages_refused=50)
    read = history.read(step.rule.website, at=at(60), days=1)
    assert [arrival.at for arrival in read.arrivals] == [at(10), at(15), at(30), at(45)]
    assert (read.really.arrived, read.really.refused, read.really.unserved) == (4, 2, 1)
    assert read.really.waits == (timedelta(0),)
    assert [(one.starts_at, one.ends_at) for one in read.team.occupations] == [(at(0), at(10))]
    assert read.entered == {step.pk: 2}
    assert {elsewhere.website_id, waits.website_id} == {
        foreign.rule.website_id,
        step.rule.website_id,
    }


def test_the_workload_is_computed_from_the_websites_history(step: RuleStep, agent: Agent) -> None:
    """Alice ends six conversations in the hour from 10:00 (Paris) and four in the next; six and
    then twelve had arrived."""
    for n in range(6):
        closed(step, agent, 10 * n, 10 * n + 10)
    for n in range(4):
        closed(step, agent, 60 + 15 * n, 75 + 15 * n)
    demand_counter.add(step.rule_id, at=at(60), messages_refused=8)
    pace = advice.workload_of(history.read(step.rule.website, at=at(600), days=1), PARIS)
    assert pace is not None
    assert (pace.handled, pace.duty, pace.days) == (10, 2 * HOUR, 1)
    assert (pace.per_hour, pace.agents) == (5.0, 1.0)
    assert pace.off_peak_hours == 0, "six came in the first hour, and five are worked off"


def test_released_conversations_do_not_count_as_handled(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent, at=NOW)
    verbs.release(conversation.pk, actor=actors.SYSTEM, at=at(10))
    assert advice.workload_of(history.read(step.rule.website, at=at(60)), PARIS) is None


def test_the_weight_of_a_queue_includes_its_refusals(step: RuleStep, agent: Agent) -> None:
    other = StepFactory(rule=StepFactory(rule__website=step.rule.website).rule)
    closed(step, agent, 0, 1)
    closed(step, agent, 1, 2)
    demand_counter.add(step.rule_id, at=NOW, messages_refused=6)
    read = history.read(step.rule.website, at=at(60))
    assert advice.weight_of(step.pk, step.rule_id, read) == 8
    assert advice.weight_of(other.pk, other.rule_id, read) == 0


# --- How close the replay comes


def live_through(step: RuleStep, agents: list[Agent], moved: time_machine.Traveller) -> None:
    """A morning of the real engine: an arrival about every four minutes, ten minutes for each."""
    chance = random.Random(215)
    happens: list[tuple[datetime, int, str, Any]] = []
    minute = 0.0
    for number in range(60):
        minute += chance.expovariate(1 / 4)
        heapq.heappush(happens, (at(minute), number, "come", None))
    for number, agent in enumerate(agents):
        heapq.heappush(happens, (at(20 + 15 * number), 100 + number, "connect", agent))
    desks: dict[int, uuid.UUID] = {}
    known: set[int] = set()
    while happens:
        now, _, what, subject = heapq.heappop(happens)
        moved.move_to(now)
        for desk in desks.values():
            presence.record_heartbeat(desk, at=now)
        if what == "connect":
            desks[subject.pk] = uuid.uuid4()
            presence.connect(subject.pk, desks[subject.pk], at=now)
        elif what == "finish":
            by_agent.finish(subject.pk, user=subject.agent.user, at=now)
        else:
            visitor = VisitorFactory(website=step.rule.website)
            try:
                start(visitor, now)
            except Rejected:
                demand_counter.refuse_message(step.rule_id, visitor.pk, at=now)
        for begun in Conversation.objects.filter(status="active").exclude(pk__in=known):
            known.add(begun.pk)
            end = now + timedelta(minutes=4 + len(known) * 7 % 13)
            heapq.heappush(happens, (end, 1000 + begun.pk, "finish", begun))


def start(visitor: Any, now: datetime) -> None:
    engagement.start(
        visitor, body="Bonjour", client_id=uuid.uuid4(), page_url="", language="fr", at=now
    )


@pytest.fixture
def nothing_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep only durable reactions, because no screen is open, and forget earlier refusals."""
    monkeypatch.setattr(bus, "_live", {})
    cache.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_shown")
@pytest.mark.parametrize("places", [0, 4])
def test_a_replay_with_the_real_places_approximates_reality(
    places: int,
    clock: time_machine.Traveller,  # noqa: F811
) -> None:
    step = StepFactory(places=places)
    agents = [AgentFactory(slots=1) for _ in range(2)]
    step.group.members.add(*agents)
    live_through(step, agents, clock)
    read = history.read(step.rule.website, at=at(600))
    assert [shift.starts_at for shift in read.team.shifts] == [at(20), at(35)], "the status log"
    outcome = advice.simulate_with(read, {})
    assert (outcome.arrived, read.really.arrived) == (60, 60)
    assert read.really.refused > 5, "a morning in which nobody is refused proves nothing"
    assert abs(outcome.refused - read.really.refused) <= 6
    for played, real in zip(
        (outcome.median, outcome.ninth_decile),
        (read.really.median, read.really.ninth_decile),
        strict=True,
    ):
        assert played is not None
        assert real is not None
        assert abs(played - real) <= max(4 * MINUTE, real * 0.25)
    refusals = [advice.simulate_with(read, {step.pk: n}).refused for n in (0, 2, 4, 8, 16, 60)]
    # Who gets in changes who is free later: one more place may cost a visitor theirs.
    assert all(few + 2 >= many for few, many in pairwise(refusals))
    assert refusals[0] > refusals[3] >= refusals[-1] == 0


def test_a_logged_break_delays_the_next_visitor(step: RuleStep, agent: Agent) -> None:
    """Alice is unavailable from 12 to 30. Her contacts are so close together that they would show
    no break."""
    presence.connect(agent.pk, uuid.uuid4(), at=at(0))
    closed(step, agent, 1, 11)
    presence.set_available(agent.pk, Channel.CHAT, False, at=at(12))
    waiting = queued(step, at=at(13))
    presence.set_available(agent.pk, Channel.CHAT, True, at=at(30))
    verbs.push(waiting.pk, agent=agent, at=at(30))
    read = history.read(step.rule.website, at=at(60))
    assert read.really.waits == (0 * MINUTE, 17 * MINUTE)
    assert advice.simulate_with(read, {}).waits == read.really.waits


def test_only_shifts_of_group_members_and_contacts_of_helpers_are_replayed(
    step: RuleStep, agent: Agent
) -> None:
    other = StepFactory(rule=step.rule)
    beside, without_slots = AgentFactory(), AgentFactory()
    other.group.members.add(beside)
    step.group.members.add(without_slots)
    for one in (agent, beside, without_slots):
        presence.connect(one.pk, uuid.uuid4(), at=at(0))
    without_slots.channels.all().delete()
    closed(step, beside, 5, 8)  # A colleague helped once; the rest of the day was for others.
    read = history.read(step.rule.website, at=at(60), groups=[step.group_id])
    assert read.team.shifts == (Shift(agent.pk, at(0), at(60)), Shift(beside.pk, at(5), at(8)))
    assert advice.simulate_with(read, {}).arrived == 1


# --- The pages


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run workers' tasks at once, by Celery's eager mode."""
    cache.clear()
    monkeypatch.setitem(app.conf, "task_always_eager", True)


@pytest.fixture
def browser(manager: User) -> Client:
    client = Client()
    client.force_login(manager)
    return client


@pytest.mark.usefixtures("clock")
def test_the_page_uses_the_submitted_numbers(step: RuleStep, browser: Client) -> None:
    """R214, R215: 5 x 10 x 3."""
    page = browser.get("/reports/queue-size/?agents=5&per_hour=10&off_peak_hours=3")
    text = page.content.decode()
    assert page.status_code == 200
    assert "<strong>150</strong>" in text
    assert "Start with <strong>75</strong> places" in text


@pytest.mark.usefixtures("clock")
def test_invalid_input_is_reported_and_preserved(step: RuleStep, browser: Client) -> None:
    page = browser.get("/reports/queue-size/?agents=-5&per_hour=ten&off_peak_hours=3")
    text = page.content.decode()
    assert page.status_code == 422
    assert 'value="-5"' in text
    assert 'value="ten"' in text
    assert text.count('<p class="error"') == 2


@pytest.mark.usefixtures("clock", "worker")
def test_the_replay_is_summarized_in_one_sentence(
    step: RuleStep,
    agent: Agent,
    browser: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    for n in range(3):
        closed(step, agent, -100 + 10 * n, -90 + 10 * n)
    demand_counter.add(step.rule_id, at=at(-100), messages_refused=1)
    url = "/reports/queue-size/replay/?places=1&places=5"
    with django_capture_on_commit_callbacks(execute=True):
        assert "Replaying your history" in browser.get(url).content.decode()
    text = browser.get(url).content.decode()
    assert "1 of 4 visitors were not engaged; half waited under 1\u00a0min" in text
    assert "With 5 places, all 4 visitors would have been engaged; half would have waited" in text


@pytest.mark.usefixtures("clock", "worker")
def test_the_page_requests_the_replay_of_a_worker_once(
    step: RuleStep,
    browser: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    url = "/reports/queue-size/replay/?places=1"
    with django_capture_on_commit_callbacks() as asked:
        for _again in range(2):
            text = browser.get(url).content.decode()
            assert "Replaying your history" in text
            assert f'hx-get="{url}"' in text
    assert len(asked) == 1
    asked[0]()
    assert "no history to replay yet" in browser.get(url).content.decode()


@pytest.mark.parametrize("path", ["/reports/queue-size/", "/reports/queue-size/replay/"])
def test_the_pages_are_limited_to_supervisors_of_the_website(
    path: str, step: RuleStep, agent: Agent, browser: Client
) -> None:
    foreign = StepFactory().rule.website
    assert browser.get(path, {"website": foreign.key}).status_code == 404
    assert browser.get(path, {"website": "nobody's"}).status_code == 404
    assert browser.get(path, {"website": step.rule.website.key}).status_code == 200
    assert browser.post(path).status_code == 405
    browser.force_login(agent.user)
    assert browser.get(path).status_code == 404
    browser.logout()
    assert browser.get(path).status_code == 302


@pytest.mark.parametrize("places", ["-1", "1e9", "99999999999", "٣", "x"])
def test_invalid_places_are_not_found(places: str, step: RuleStep, browser: Client) -> None:
    assert browser.get("/reports/queue-size/replay/", {"places": places}).status_code == 404


@pytest.mark.parametrize("count", [1, 4])
def test_reading_history_takes_a_constant_number_of_queries(
    count: int, step: RuleStep, django_assert_num_queries: Any
) -> None:
    for n in range(count):
        agent = AgentFactory()
        other = StepFactory(rule=step.rule)
        other.group.members.add(agent)
        closed(other, agent, n, n + 5)
        connect(agent)
    with django_assert_num_queries(13):
        history.read(step.rule.website, at=at(60))


def test_slots_are_the_used_ones_limited_to_todays_setting(step: RuleStep) -> None:
    quiet, pulled, gone = (AgentFactory(slots=n) for n in (3, 1, 2))
    step.group.members.add(quiet, pulled, gone)
    closed(step, quiet, 0, 10)
    for agent in (pulled, gone):
        closed(step, agent, 0, 10)
        on_desk(step, agent, at=at(5))
    gone.channels.all().delete()
    slots = history.read(step.rule.website, at=at(60)).team.slots
    assert slots == {quiet.pk: 1, pulled.pk: 1, gone.pk: 2}


def test_the_page_of_a_rule_links_to_the_simulator(step: RuleStep) -> None:
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN, is_staff=True))
    page = client.get(f"/admin/routing/distributionrule/{step.rule_id}/change/").content.decode()
    assert f"/reports/queue-size/?website={step.rule.website.key}" in page
