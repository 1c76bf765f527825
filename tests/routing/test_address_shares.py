"""What anonymous visitors of one address can fill of a queue, and whose place counts no more."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from accounts.models import Agent
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import WAITING, Status
from conversations.messages import sending
from conversations.models import Author, Conversation, Person, Visitor
from routing import engagement, invariants
from routing.actions import escalation
from routing.address_shares import SILENCE
from routing.decisions import share_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    BotFactory,
    RuleFactory,
    StepFactory,
    VisitorFactory,
    connect,
    queued,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
LATER = NOW + SILENCE + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def shared(settings: Settings) -> None:
    settings.RATE_PLACES_PERCENT = 50


def start(
    step: RuleStep, address: str, *, at: datetime = NOW, visitor: Visitor | None = None
) -> Conversation:
    conversation, _sent = engagement.start(
        visitor or VisitorFactory(website=step.rule.website),
        body="Bonjour",
        client_id=uuid.uuid4(),
        page_url="https://example.com/",
        language="en",
        address=address,
        at=at,
    )
    conversation.refresh_from_db()
    return conversation


def starts(step: RuleStep, address: str, *, at: datetime = NOW, tries: int = 30) -> int:
    """Return how many conversations one address can start."""
    for number in range(tries):
        try:
            start(step, address, at=at)
        except engagement.NoRoom:
            return number
    return tries


def staffed(step: RuleStep) -> Agent:
    """Return a free agent of the queue's group."""
    agent: Agent = AgentFactory()
    step.group.members.set([agent])
    connect(agent)
    return agent


@pytest.mark.parametrize(
    ("places", "percent", "share"),
    [(1, 50, 1), (2, 50, 1), (3, 50, 2), (10, 50, 5), (10, 100, 10), (10, 1, 1), (0, 50, 1)],
)
def test_share_is_rounded_up(places: int, percent: int, share: int) -> None:
    assert share_of(places, percent) == share


def test_an_address_fills_only_its_share() -> None:
    step = StepFactory(places=3)
    assert starts(step, HERE) == 2
    with pytest.raises(engagement.NoRoom, match="Many people on your network"):
        start(step, HERE)
    assert starts(step, ELSEWHERE) == 1
    with pytest.raises(engagement.NoRoom, match="the queue is full"):
        start(step, ELSEWHERE)


@pytest.mark.parametrize("address", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"])
def test_an_ipv6_network_is_one_address(address: str) -> None:
    step = StepFactory(places=4)
    start(step, "2001:db8:1:2::7")
    assert starts(step, address) == 1
    assert starts(step, "2001:db8:1:3::1") == 2


def test_known_customers_do_not_count_towards_the_share() -> None:
    step = StepFactory(places=4)
    assert starts(step, HERE) == 2
    person = Person.objects.create(website=step.rule.website, external_id="42", created_at=NOW)
    known = start(step, HERE, visitor=VisitorFactory(website=step.rule.website, person=person))
    assert known.status == Status.QUEUED
    assert known.opened_from == ""


def test_without_a_share_one_address_fills_a_queue(settings: Settings) -> None:
    settings.RATE_PLACES_PERCENT = None
    step = StepFactory(places=3)
    assert starts(step, HERE) == 3
    assert not Conversation.objects.exclude(opened_from="").exists()


def test_an_address_over_its_share_can_still_go_to_a_free_desk() -> None:
    step = StepFactory(places=2)
    start(step, HERE)
    staffed(step)
    assert start(step, HERE).status == Status.ACTIVE


def test_a_cascade_goes_on_to_the_next_queue() -> None:
    rule = RuleFactory()
    first, second = StepFactory(rule=rule, places=2), StepFactory(rule=rule, places=2)
    entered = [start(first, HERE).queue_id for _ in range(2)]
    assert entered == [first.pk, second.pk]


def test_the_hash_is_deleted_when_a_desk_is_reached() -> None:
    step = StepFactory(places=4)
    talk = start(step, HERE)
    assert len(talk.opened_from) == 32
    assert HERE not in talk.opened_from
    verbs.push(talk.pk, agent=staffed(step), at=NOW)
    talk.refresh_from_db()
    assert (talk.status, talk.opened_from) == (Status.ACTIVE, "")


def test_escalations_of_one_address_fill_only_its_share() -> None:
    step = StepFactory(places=4, rule=RuleFactory(bot=BotFactory()))
    talks = [start(step, HERE) for _ in range(4)]
    assert {talk.status for talk in talks} == {Status.BOT}
    assert [escalation.escalate(talk.pk, at=NOW) for talk in talks] == [True, True, False, False]


# --- The silent ------------------------------------------------------------------------------


def test_the_silent_take_no_place_after_a_minute() -> None:
    step = StepFactory(places=2)
    silent = [start(step, HERE), start(step, ELSEWHERE)]
    with pytest.raises(engagement.NoRoom):
        start(step, "203.0.113.5")
    third = start(step, "203.0.113.5", at=LATER)
    assert third.status == Status.QUEUED
    for talk in silent:  # nothing was lost
        talk.refresh_from_db()
        assert talk.status == Status.QUEUED
    assert {finding.check for finding in invariants.findings(at=LATER)} <= {"outbox"}


def test_silent_visitors_at_most_double_the_queue() -> None:
    step = StepFactory(places=3)
    at, number = NOW, 0
    for _wave in range(5):
        for _ in range(10):
            number += 1
            try:
                start(step, f"203.0.113.{number}", at=at)
            except engagement.NoRoom:
                break
        at += 2 * SILENCE
    assert Conversation.objects.filter(queue=step, status__in=WAITING).count() == 6


def test_another_message_is_a_sign_of_life() -> None:
    step = StepFactory(places=1)
    talk = start(step, HERE)
    sending.add(talk.pk, author=Author.VISITOR, body="?", client_id=uuid.uuid4(), at=NOW)
    with pytest.raises(engagement.NoRoom):
        start(step, ELSEWHERE, at=LATER)


def test_conversations_of_other_origins_are_never_silent() -> None:
    step = StepFactory(places=1)
    queued(step)  # begun by a known person, or before the share was introduced
    with pytest.raises(engagement.NoRoom):
        start(step, ELSEWHERE, at=LATER)


def test_a_released_conversation_still_takes_a_place() -> None:
    step = StepFactory(places=1)
    talk = start(step, HERE)
    agent = staffed(step)
    verbs.push(talk.pk, agent=agent, at=NOW)
    verbs.release(talk.pk, actor=actors.SYSTEM, at=NOW)
    agent.channels.update(is_available=False)
    with pytest.raises(engagement.NoRoom):
        start(step, ELSEWHERE, at=LATER)
