"""A manager of one team of a website learns nothing of another: no page, list, file, chart, mail or
API response available to them mentions or counts what happens there."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern

from accounts.models import Agent, Channel, Role, User
from config.api import urls as api_urls
from config.api.urls import router
from conversations import feed, surveys
from conversations.agents import notes
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.deadlines import database_now
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import (
    Author,
    CloseReason,
    Conversation,
    StatusInterval,
    SuggestionOffer,
    Visitor,
)
from desk import urls as desk_urls
from reporting import figures
from reporting import urls as report_urls
from reporting.board import states
from reporting.exports import export_queue, subjects, writing
from reporting.figures.period import Period
from reporting.models import Every, Export, Origin, SubscribedReport, Subscription
from reporting.reports import mails, sheets, subscriptions
from reporting.sales import recording
from reporting.sales.recording import Purchase
from reporting.simulator import run_simulation
from routing.models import HourlyDemand, Repair, RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import (
    AgentFactory,
    StepFactory,
    UserFactory,
    VisitorFactory,
    WebsiteFactory,
    connect,
    in_status,
    on_desk,
    queued,
    with_bot,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MINUTE = timedelta(minutes=1)
THEIRS = "Zwielicht"
"""Part of every name of the other team: its rule, group, agents, visitors, and their messages."""


class Team:
    """A rule with its queue, a group and an agent on a website, and everything that can happen to
    them."""

    def __init__(self, website: Any, name: str) -> None:
        self.name = name
        self.step: RuleStep = StepFactory(
            rule__website=website, rule__name=f"{name} rule", group__name=f"{name} team", places=9
        )
        self.agent: Agent = AgentFactory(display_name=f"{name} agent")
        self.step.group.members.add(self.agent)
        self.who = actors.agent(self.agent.user)
        self.numbers: list[int] = []
        self.sales: list[int] = []

    def visitor(self) -> Visitor:
        website = self.step.rule.website
        visitor: Visitor = VisitorFactory(website=website, name=f"{self.name} visitor")
        return visitor

    def create_history(self, regular: Visitor) -> None:
        """One of everything; ``regular`` writes to both teams."""
        for status in Status:
            if status != Status.BOT:
                self.add_named(in_status(status, self.step, self.agent, at=NOW - 90 * MINUTE))
        for number, visitor in enumerate((regular, self.visitor())):
            self.numbers.append(self.talk(visitor, number).pk)
        self.create_presence()

    def add_named(self, one: Conversation) -> None:
        Visitor.objects.filter(pk=one.visitor_id).update(name=f"{self.name} visitor")
        self.numbers.append(one.pk)
        self.say(one, Author.VISITOR)

    def say(self, one: Conversation, author: Author) -> None:
        if one.status != Status.CLOSED:
            body = f"{self.name} says hippopotame"
            sending.add(one.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)

    def talk(self, visitor: Visitor, number: int) -> Conversation:
        """A conversation answered, noted, snoozed, woken, closed, rated; with a purchase, partly
        refunded."""
        at = NOW - 60 * MINUTE
        one = on_desk(self.step, self.agent, at=at, visitor=visitor)
        self.say(one, Author.AGENT)
        notes.write(one.pk, agent_id=self.agent.pk, body=f"{self.name} note", at=at)
        verbs.snooze(
            one.pk, until=NOW, keep=False, auto_close=False, actor=self.who, at=at + MINUTE
        )
        verbs.wake(one.pk, actor=self.who, at=at + 2 * MINUTE)
        verbs.push(one.pk, agent=self.agent, at=at + 3 * MINUTE)
        SuggestionOffer.objects.create(
            conversation=one, agent=self.agent, seq=1, offered_at=at, outcome="used", decided_at=at
        )
        verbs.close(one.pk, reason=CloseReason.RESOLVED, actor=self.who, at=NOW)
        surveys.answer(one.pk, csat=2 + number, nps=9, comment=f"{self.name} comment", at=NOW)
        website, name = self.step.rule.website, f"{self.name}-{number}"
        sale, _ = recording.record(
            website,
            Purchase(name, Decimal(70 + number), "EUR", NOW),
            visitor=visitor,
            origin=Origin.API,
            at=NOW,
        )
        recording.refund(website, name, amount=Decimal(3), number=f"{name}-back", at=NOW)
        self.sales.append(sale.pk)
        return one

    def create_presence(self) -> None:
        """The agent is there; some visitors find no room; the sweep has something to repair."""
        website = self.step.rule.website
        connect(self.agent)
        StatusInterval.objects.create(
            agent=self.agent,
            website=website,
            channel=Channel.CHAT,
            is_available=True,
            started_at=NOW - 50 * MINUTE,
            ended_at=NOW - 5 * MINUTE,
            busy_seconds=600,
            open_seconds=900,
        )
        HourlyDemand.objects.create(rule=self.step.rule, hour=NOW, messages_refused=7)
        Repair.objects.create(
            website=website,
            conversation_id=self.numbers[0],
            agent=self.agent,
            waited=MINUTE,
            at=NOW - MINUTE,
        )


class Shop:
    """A website with two teams. ``boss`` manages the first, and sees what belongs to no team."""

    def __init__(self) -> None:
        cache.clear()
        website = WebsiteFactory(name="Maison")
        self.ours, self.theirs = Team(website, "Ours"), Team(website, THEIRS)
        self.boss: User = UserFactory(role=Role.MANAGER, email="boss@example.com", language="en")
        self.ours.step.group.managers.add(self.boss)
        self.regular: Visitor = VisitorFactory(website=website, name="Regular")
        self.ours.create_history(self.regular)
        # Begun by us, and theirs now: what we did to it stays ours.
        at = NOW - 80 * MINUTE
        self.moved = on_desk(self.ours.step, self.ours.agent, at=at)
        verbs.transfer_to_group(
            self.moved.pk,
            group=self.theirs.step.group,
            queue_id=self.theirs.step.pk,
            actor=self.ours.who,
            at=at + MINUTE,
        )
        # And one that came to us by their rule.
        self.came = came = queued(self.theirs.step, at=at)
        verbs.transfer_to_group(
            came.pk,
            group=self.ours.step.group,
            queue_id=self.ours.step.pk,
            actor=actors.SYSTEM,  # a colleague who transfers it is named to us
            at=at + MINUTE,
        )
        verbs.push(came.pk, agent=self.ours.agent, at=at + 2 * MINUTE)
        verbs.close(came.pk, reason=CloseReason.RESOLVED, actor=self.ours.who, at=NOW)
        self.ours.numbers.append(came.pk)

    def change_the_other_group(self) -> None:
        self.theirs.create_history(self.regular)
        self.theirs.add_named(with_bot(self.theirs.step, at=NOW - 90 * MINUTE))
        verbs.push(self.moved.pk, agent=self.theirs.agent, at=NOW - MINUTE)
        self.theirs.add_named(self.moved)
        self.theirs.say(self.moved, Author.AGENT)
        verbs.close(self.moved.pk, reason=CloseReason.RESOLVED, actor=self.theirs.who, at=NOW)
        surveys.answer(self.moved.pk, csat=1, nps=0, comment=f"{THEIRS} comment", at=NOW)
        recording.record(
            self.theirs.step.rule.website,
            Purchase(f"{THEIRS}-nobody", Decimal(1), "EUR", NOW),
            visitor=None,
            origin=Origin.API,
            at=NOW,
        )


@pytest.fixture
def shop() -> Shop:
    return Shop()


FIGURES = list(figures.FIGURES)
VALUES: dict[str, list[Any]] = {
    "subject": [],  # POST only: tested below
    "report": list(SubscribedReport.values),
    "word": ["nothing"],
    "kind": ["csv"],
}
NAMES = {
    "board_state": list(states.STATES),
    "board_file": ["queues", "agents", *states.STATES],
    "sheet_file": [*sheets.CUTS, *sheets.OTHER_SHEETS],
    "chart": FIGURES,
    "chart_file": FIGURES,
    "export": FIGURES,
    "behind": FIGURES,
    "figure": FIGURES,
}
API = {
    "v1/figures/<slug:name>/": "figure",
    "v1/tables/<slug:name>.<slug:kind>": "sheet_file",
    "v1/charts/<slug:name>.<slug:kind>": "chart_file",
}
"""Apart from those of the router. The transactions' API needs a shop key, so it is not for
users."""
QUERIES = {
    "figure": [f"period=today&{how}" for how in ("by=agent", "by=rule&step=hour")],
    "": ["", "period=today", "period=today&step=hour"],
    "queue_size_replay": ["places=3"],
    "replay_file": ["places=3"],
    "find": ["", "q=hippopotame", "q=visitor", "q=note", "q=agent"],
    **{name: ["period=today"] for name in ("chart", "chart_file", "export", "behind")},
    **{
        name: [f"period=today&by={by}" for by in ("website", "group", "rule", "agent", "style")]
        for name in ("experience", "conversations", "transactions", "sheet_file")
    },
}
FEED = "v1/events/"
"""Its cursors move past the entries of other teams, so that it has a test of its own."""
OFFERS = {"reassign", "transfer", "why"}
"""Where the names of the website's other teams and agents are offered: to transfer to, to add as
members."""


def addresses(shop: Shop, *, of: Team) -> Iterator[tuple[str, str]]:
    """Yield every address of the reports, the desk and the API, with all values that it can
    have."""
    for pattern in [*report_urls.urlpatterns, *desk_urls.urlpatterns]:
        assert isinstance(pattern, URLPattern)
        name, route = str(pattern.name), str(pattern.pattern)
        usual = QUERIES[""] if pattern in report_urls.urlpatterns else [""]
        for path in filled([route], name, of):
            for query in QUERIES.get(name, usual):
                yield name, f"/{path}?{query}"
    for route, name in API.items():
        assert any(str(pattern.pattern) == route for pattern in api_urls.urlpatterns)
        for path in filled([route], name, of):
            for query in QUERIES[name]:
                yield "api", f"/api/{path}?{query}"
    for url in router.urls:
        if "<int:number>" not in str(url.pattern):
            yield "api", f"/api/v1/{url.pattern}"
        for number in of.numbers:
            name = "why" if str(url.pattern).endswith("/why/") else "api"
            yield name, "/api/v1/" + str(url.pattern).replace("<int:number>", str(number))


def filled(paths: list[str], name: str, of: Team) -> list[str]:
    numbers = {
        "transaction": of.sales,
        "fetch_export": [0],
        "drop_export": [0],
    }.get(name, of.numbers)
    for hole in re.findall(r"<\w+:(\w+)>", paths[0]):
        values = {"name": NAMES.get(name, []), "number": numbers, **VALUES}.get(hole, [1])
        paths = [re.sub(rf"<\w+:{hole}>", str(one), path) for path in paths for one in values]
    return paths


CHANGING = re.compile(r'(csrfmiddlewaretoken" value="|nonce="|X-CSRFToken": "|"request_id":")[^"]*')


def read(user: User, paths: list[str]) -> dict[str, tuple[int, str]]:
    """Return status and text of each, without what differs every time. A view that refuses GET for
    one conversation refuses it for all."""
    client = Client()
    client.force_login(user)
    answers = dict[str, tuple[int, str]]()
    only_written = set[str]()
    for path in paths:
        address = re.sub(r"/\d+/", "/1/", path)
        if address in only_written:
            continue
        answer = client.get(path)
        if answer.status_code == 405:
            only_written.add(address)
        body = whole(answer.streaming_content) if answer.streaming else answer.content
        answers[path] = (answer.status_code, CHANGING.sub("", body.decode()))
    return answers


@async_to_sync
async def whole(blocks: Any) -> bytes:
    return b"".join([block async for block in blocks])


def new_lines(before: str, after: str) -> list[str]:
    """Return the lines that changed, and only those, because a page is long."""
    pairs = zip_longest(before.splitlines(), after.splitlines())
    return [str(new) for old, new in pairs if old != new]


def test_changes_in_another_group_change_nothing_visible(shop: Shop) -> None:
    """Every address, before and after."""
    asked = [path for name, path in addresses(shop, of=shop.ours) if name not in OFFERS]
    before = read(shop.boss, asked)
    cache.clear()
    shop.change_the_other_group()
    after = read(shop.boss, asked)
    assert after.keys() == before.keys()
    assert len([one for one in before.values() if one[0] == 200]) > 400
    # What can be read in a conversation is the team's that has it: also from where it came.
    ledger = f"/api/v1/conversations/{shop.came.pk}/events/"
    assert before[ledger][1].count(THEIRS) == 1
    for path in before:
        assert THEIRS not in after[path][1] or path == ledger, path
        assert after[path][0] == before[path][0], path
        assert new_lines(before[path][1], after[path][1]) == [], path


@pytest.fixture
def horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed also tells what the test's own transaction has written."""
    monkeypatch.setattr(feed, "HORIZON", f"{10**18}::bigint")


def followed(user: User, limit: int) -> str:
    """Return all entries of the feed, one a line, as a reader follows it from the oldest."""
    client, after, entries = Client(), "", list[dict[str, Any]]()
    client.force_login(user)
    for _page in range(1000):
        answer = client.get(f"/api/{FEED}", {"after": after, "limit": str(limit)})
        assert answer.status_code == 200
        data = answer.json()
        assert set(data) == {"results", "next", "has_more"}
        assert re.fullmatch(r"\d+\.\d+", data["next"])
        entries += data["results"]
        after = data["next"]
        if not data["has_more"]:
            return "\n".join(json.dumps(one, ensure_ascii=False) for one in entries)
    raise AssertionError("the feed has no end")


@pytest.mark.usefixtures("horizon")
def test_changes_in_another_group_add_nothing_to_the_feed(shop: Shop) -> None:
    before = followed(shop.boss, 200)
    assert "Ours" in before
    # What can be read in a conversation is the team's that has it: also from where it came.
    [origin] = [line for line in before.splitlines() if THEIRS in line]
    assert f'"conversation": {shop.came.pk},' in origin
    shop.change_the_other_group()
    after = followed(shop.boss, 50)
    assert new_lines(before, after) == []
    shop.theirs.step.group.managers.add(shop.boss)
    assert followed(shop.boss, 200).count(THEIRS) > 9  # Otherwise this would prove nothing.


def written(shop: Shop) -> dict[str, str]:
    """Return the contents of files, mails and replays for the manager."""
    contents = {}
    period = Period(NOW.date(), NOW.date() + timedelta(days=1))
    for subject in (subjects.CONVERSATIONS, *FIGURES):
        export = export_queue.ask(
            shop.boss,
            subject=subject,
            kind="csv",
            query="period=today",
            about="",
            period=period,
            at=NOW,
        )
        assert writing.write_next(at=database_now())
        answer = read(shop.boss, [f"/reports/exports/{export.pk}/"])
        [(status, contents[subject])] = answer.values()
        assert status == 200
        export.refresh_from_db()
        assert (export.websites, export.groups) == ([], [shop.ours.step.group_id])
    for report in SubscribedReport:
        subscriptions.subscribe(shop.boss, report, Every.DAY, website=None, at=NOW)
        pk = Subscription.objects.get(user=shop.boss, report=report).pk
        mails.send_report(subscription_id=pk, first=f"{period.first}", end=f"{period.end}")
        sent = mail.outbox[-1]
        contents[f"mail of {report}"] = re.sub(r"no-longer/\S+", "", f"{sent.subject}\n{sent.body}")
    website, groups = shop.ours.step.rule.website, [shop.ours.step.group_id]
    run_simulation.run(website.pk, [3], "replay", at=NOW + MINUTE, groups=groups)
    return contents | {"replay": repr(cache.get("replay"))}


@pytest.mark.usefixtures("media")
def test_changes_in_another_group_change_no_export_or_mail(shop: Shop) -> None:
    before = written(shop)
    cache.clear()
    shop.change_the_other_group()
    after = written(shop)
    assert all("Ours" in before[name] for name in ("conversations", "closed", "connected_time"))
    for name in before:
        assert THEIRS not in after[name], name
        assert new_lines(before[name], after[name]) == [], name
    shop.theirs.step.group.managers.add(shop.boss)
    for file in Export.objects.filter(subject="closed"):
        [(status, _words)] = read(shop.boss, [f"/reports/exports/{file.pk}/"]).values()
        assert status == 200


@pytest.fixture
def media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_a_manager_of_both_groups_sees_all_of_it(shop: Shop) -> None:
    """Otherwise the tests above would prove nothing."""
    shop.change_the_other_group()
    shop.theirs.step.group.managers.add(shop.boss)
    asked = [path for _name, path in addresses(shop, of=shop.theirs)][::4]
    answers = read(shop.boss, asked)
    assert len([path for path, (_status, words) in answers.items() if THEIRS in words]) > 60


def test_objects_of_another_group_are_not_found(shop: Shop) -> None:
    shop.change_the_other_group()
    asked = {
        path
        for name, path in addresses(shop, of=shop.theirs)
        if any(f"/{number}/" in path for number in [*shop.theirs.numbers, *shop.theirs.sales])
    }
    answers = read(shop.boss, sorted(asked))
    assert {status for status, _words in answers.values()} <= {404, 405}
    assert not [path for path, (_status, words) in answers.items() if THEIRS in words]


def test_every_address_of_the_api_is_covered() -> None:
    patterns = {str(one.pattern) for one in api_urls.urlpatterns if isinstance(one, URLPattern)}
    beside = {"", "docs/", "v1/schema/", "v1/figures/"}
    of_shops = {one for one in patterns if one.startswith("v1/transactions/")}
    assert patterns - beside - of_shops == {*API, FEED}
