"""Reports by e-mail: due by local time, sent once, limited to what the reader may see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Role, User
from conversations.lifecycle import actors, verbs
from conversations.models import CloseReason
from core.models import OutboxEntry
from reporting.figures.period import Period
from reporting.models import Every, SubscribedReport, Subscription
from reporting.reports import mails, subscriptions
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory, on_desk

PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("every", "after", "zone", "wanted"),
    [
        (Every.DAY, "2035-03-05T05:59+00:00", PARIS, "2035-03-05T07:00+01:00"),
        (Every.DAY, "2035-03-05T06:00+00:00", PARIS, "2035-03-06T07:00+01:00"),
        (Every.DAY, "2035-03-24T12:00+00:00", PARIS, "2035-03-25T07:00+02:00"),  # the clock change
        (Every.WEEK, "2035-03-05T05:00+00:00", PARIS, "2035-03-05T07:00+01:00"),
        (Every.WEEK, "2035-03-05T12:00+00:00", PARIS, "2035-03-12T07:00+01:00"),
        (Every.MONTH, "2035-03-01T12:00+00:00", PARIS, "2035-04-01T07:00+02:00"),
        (Every.MONTH, "2035-12-31T23:30+00:00", PARIS, "2036-01-01T07:00+01:00"),
        (Every.DAY, "2035-03-04T17:30+00:00", "Pacific/Auckland", "2035-03-05T07:00+13:00"),
    ],
)
def test_a_report_is_due_at_seven_local_time(
    every: Every, after: str, zone: str, wanted: str
) -> None:
    moment = subscriptions.next_moment(every, datetime.fromisoformat(after), ZoneInfo(zone))
    assert moment == datetime.fromisoformat(wanted)


@pytest.mark.parametrize(
    ("every", "day", "first", "end"),
    [
        (Every.DAY, "2035-03-05", "2035-03-04", "2035-03-05"),
        (Every.WEEK, "2035-03-05", "2035-02-26", "2035-03-05"),
        (Every.WEEK, "2035-03-07", "2035-02-26", "2035-03-05"),  # sent late
        (Every.MONTH, "2035-03-01", "2035-02-01", "2035-03-01"),
        (Every.MONTH, "2035-01-02", "2034-12-01", "2035-01-01"),
    ],
)
def test_a_report_covers_whole_days(every: Every, day: str, first: str, end: str) -> None:
    wanted = Period(date.fromisoformat(first), date.fromisoformat(end))
    assert subscriptions.period_before(every, date.fromisoformat(day)) == wanted


@pytest.fixture
def step(db: None) -> RuleStep:
    step = StepFactory(rule__website__name="Maison Céleste")
    agent = AgentFactory()
    step.group.members.add(agent)
    actor = actors.agent(agent.user)
    one = on_desk(step, agent, at=NOW - timedelta(days=1))
    verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=actor, at=NOW - timedelta(days=1))
    return step


@pytest.fixture
def manager(step: RuleStep) -> User:
    user = UserFactory(role=Role.MANAGER, email="boss@example.com", language="en")
    step.group.managers.add(user)
    return user


def subscribed(user: User) -> Subscription:
    report = SubscribedReport.CONVERSATIONS
    subscriptions.subscribe(user, report, Every.DAY, website=None, at=NOW - timedelta(days=1))
    return Subscription.objects.get(user=user)


def send(one: Subscription) -> None:
    day = NOW.date()
    first, end = (day - timedelta(days=1)).isoformat(), day.isoformat()
    mails.send_report(subscription_id=one.pk, first=first, end=end)


def test_a_due_report_is_published_once(
    manager: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    one = subscribed(manager)
    before = one.next_at
    assert subscriptions.publish_due(at=before - timedelta(seconds=1)) == 0
    with django_capture_on_commit_callbacks(execute=False):
        assert subscriptions.publish_due(at=before) == 1
        assert subscriptions.publish_due(at=before) == 0
    [owed] = OutboxEntry.objects.filter(reaction__endswith="send_report")
    assert owed.payload["subscription_id"] == one.pk
    one.refresh_from_db()
    assert one.next_at == before + timedelta(days=1)


def test_the_mail_contains_figures_a_report_link_and_an_unsubscribe_link(manager: User) -> None:
    one = subscribed(manager)
    send(one)
    [sent] = mail.outbox
    assert (sent.subject, sent.to) == ("Conversations: Maison Céleste", ["boss@example.com"])
    assert "Conversations closed: 1\n" in sent.body
    assert "/reports/conversations/?period=custom&first=2035-03-04&last=2035-03-04" in sent.body
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    way_out = re.search(r"/reports/no-longer/\S+/", sent.body)
    assert way_out is not None
    assert "Stop receiving “Conversations” by e-mail?" in Client().get(way_out[0]).content.decode()
    assert Subscription.objects.exists()
    Client(enforce_csrf_checks=True).post(way_out[0])
    assert not Subscription.objects.exists()
    assert "no longer sent" in Client().get(way_out[0]).content.decode()
    assert "no longer sent" in Client().get("/reports/no-longer/7:forged/").content.decode()


def remove_from_group(user: User) -> None:
    user.managed_groups.clear()


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def demote_to_agent(user: User) -> None:
    """Make the user an agent, who reads their own figures under /reports/ and gets none by
    email."""
    User.objects.filter(pk=user.pk).update(role=Role.AGENT)
    user.managed_groups.get().members.add(AgentFactory(user=user))


def remove_address(user: User) -> None:
    User.objects.filter(pk=user.pk).update(email="")


@pytest.mark.parametrize(
    "happens", [remove_from_group, deactivate, demote_to_agent, remove_address]
)
def test_a_user_without_access_is_unsubscribed_and_not_mailed(
    manager: User, happens: Callable[[User], None]
) -> None:
    one = subscribed(manager)
    happens(manager)
    send(one)
    assert mail.outbox == []
    assert not Subscription.objects.exists()


def test_a_website_no_longer_supervised_is_not_mailed(manager: User, step: RuleStep) -> None:
    other = StepFactory(rule__website__name="Ailleurs")
    other.group.managers.add(manager)
    one = subscribed(manager)
    one.website = other.rule.website
    one.save()
    other.group.managers.clear()
    send(one)
    assert mail.outbox == []


def test_a_subscription_is_managed_on_the_report_page(manager: User, step: RuleStep) -> None:
    client, agent = Client(), Client()
    client.force_login(manager)
    agent.force_login(AgentFactory().user)
    address = "/reports/experience/by-mail/"
    client.post(address, {"every": "week", "website": ""})
    one = Subscription.objects.get()
    assert (one.user, one.every, one.website) == (manager, Every.WEEK, None)
    page = client.get("/reports/experience/").content.decode()
    assert re.search(r'value="week"\s+selected', page)
    client.post(address, {"every": "", "query": "period=30"})
    assert not Subscription.objects.exists()
    assert agent.post(address, {"every": "day"}).status_code == 404
    assert client.post("/reports/happiness/by-mail/", {"every": "day"}).status_code == 404
    assert client.get(address).status_code == 405
    assert not Subscription.objects.exists()


def test_a_website_that_the_user_does_not_oversee_is_refused(manager: User, step: RuleStep) -> None:
    client = Client()
    client.force_login(manager)
    foreign = StepFactory().rule.website
    for website in (foreign.pk, 0, -1, "x", "9" * 5000):
        sent = {"every": "week", "website": website}
        assert client.post("/reports/experience/by-mail/", sent).status_code == 404
    assert not Subscription.objects.exists()
    client.post("/reports/experience/by-mail/", {"every": "week", "website": step.rule.website_id})
    assert Subscription.objects.get().website == step.rule.website


def test_a_subscription_uses_the_websites_time_zone(manager: User, step: RuleStep) -> None:
    website = step.rule.website
    website.time_zone = "Pacific/Auckland"
    website.save()
    report = SubscribedReport.AGENTS
    at = datetime(2035, 3, 4, 12, tzinfo=UTC)
    subscriptions.subscribe(manager, report, Every.DAY, website=website, at=at)
    assert Subscription.objects.get().next_at == datetime(2035, 3, 4, 18, tzinfo=UTC)
