"""A page's report of a purchase and an authenticated one: the second counts, both are on record
(C59)."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Agent
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Author, Conversation, Visitor
from reporting.models import Claim, Origin, Transaction
from reporting.sales import recording
from reporting.sales.attribution import AttributionResult
from reporting.sales.recording import Conflict, Purchase
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, VisitorFactory, on_desk

pytestmark = pytest.mark.django_db
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SOLD = Purchase("1002", Decimal("89.90"), "EUR")


@pytest.fixture
def step() -> RuleStep:
    return StepFactory()


@pytest.fixture
def alice(step: RuleStep) -> Agent:
    agent = AgentFactory(display_name="Alice")
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, alice: Agent) -> Conversation:
    """A conversation in which Alice wrote an hour ago."""
    one = on_desk(step, alice, at=NOW - HOUR)
    say(one, at=NOW - HOUR)
    return one


def say(one: Conversation, *, at: Any) -> None:
    sending.add(one.pk, author=Author.AGENT, body="Voilà", client_id=uuid.uuid4(), at=at)


def record(
    step: RuleStep,
    origin: Origin,
    *,
    by: Visitor | None = None,
    after: timedelta = timedelta(),
    **other: Any,
) -> tuple[Transaction, bool]:
    return recording.record(
        step.rule.website, replace(SOLD, **other), visitor=by, origin=origin, at=NOW + after
    )


@pytest.mark.parametrize("origin", [Origin.API, Origin.IMPORT])
def test_an_authenticated_purchase_replaces_the_report_of_a_page(
    step: RuleStep, talk: Conversation, alice: Agent, origin: Origin
) -> None:
    """0.01 for order 1002, then the real price: the attribution is decided again, too."""
    stranger = VisitorFactory(website=step.rule.website)
    record(step, Origin.SCRIPT, by=stranger, amount=Decimal("0.01"))
    row, is_new = record(step, origin, by=talk.visitor, after=2 * SECOND)
    assert not is_new
    row = Transaction.objects.get()
    assert (row.amount, row.origin, row.made_at) == (SOLD.amount, origin, NOW + 2 * SECOND)
    assert (row.outcome, row.agent, row.visitor) == (
        AttributionResult.ATTRIBUTED,
        alice,
        talk.visitor,
    )
    claim = Claim.objects.get()
    assert (claim.amount, claim.visitor, claim.recorded_at) == (Decimal("0.01"), stranger, NOW)
    assert record(step, origin, by=talk.visitor, after=3 * SECOND)[1] is False
    with pytest.raises(Conflict):
        record(step, origin, amount=Decimal(1), after=3 * SECOND)


def test_a_report_by_script_and_by_api_is_one_purchase(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    """The shop names no customer: a page that reported the same amount is trusted about that."""
    record(step, Origin.SCRIPT, by=talk.visitor)
    record(step, Origin.API, after=2 * SECOND)
    row = Transaction.objects.get()
    assert (row.origin, row.agent, row.made_at) == (Origin.API, alice, NOW)
    assert Claim.objects.get().origin == Origin.SCRIPT


@pytest.mark.parametrize("other", [{"amount": Decimal("0.01")}, {"currency": "USD"}])
def test_the_visitor_of_a_contradicted_page_report_is_dropped(
    step: RuleStep, talk: Conversation, other: dict[str, Any]
) -> None:
    record(step, Origin.SCRIPT, by=talk.visitor, **other)
    row, _is_new = record(step, Origin.API, after=2 * SECOND)
    assert (row.outcome, row.visitor, row.currency) == (
        AttributionResult.UNKNOWN_VISITOR,
        None,
        "EUR",
    )


def test_a_page_report_after_the_api_changes_nothing(step: RuleStep, talk: Conversation) -> None:
    record(step, Origin.API, by=talk.visitor)
    before = Transaction.objects.values().get()
    for amount in ("0.01", "0.02"):
        row, is_new = record(step, Origin.SCRIPT, amount=Decimal(amount), after=2 * SECOND)
        assert (row.amount, is_new) == (SOLD.amount, False)
    assert Transaction.objects.values().get() == before
    assert Claim.objects.get().amount == Decimal("0.01")


def test_differing_authenticated_reports_conflict(step: RuleStep) -> None:
    record(step, Origin.API)
    record(step, Origin.IMPORT, made_at=NOW)
    for other in ({"amount": Decimal(1)}, {"currency": "USD"}, {"made_at": NOW - SECOND}):
        with pytest.raises(Conflict):
            record(step, Origin.IMPORT, **other)
    assert not Claim.objects.exists()


def test_a_refund_remains_after_an_authenticated_report(step: RuleStep) -> None:
    record(step, Origin.SCRIPT)
    recording.refund(step.rule.website, "1002", at=NOW, number="r")
    assert Transaction.objects.get().refunded_at == NOW
    with pytest.raises(Conflict):
        record(step, Origin.API, amount=Decimal(50))
    row, _is_new = record(step, Origin.API, amount=Decimal(100))
    assert (row.refunded, row.refunded_at) == (SOLD.amount, None)


@pytest.mark.django_db(transaction=True)
def test_simultaneous_reports_by_page_and_shop_are_one_purchase(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    words = [
        *[(Origin.API, {"by": talk.visitor}) for _again in range(3)],
        *[(Origin.SCRIPT, {"amount": Decimal(n)}) for n in (1, 1)],
    ]
    start, failed = threading.Barrier(len(words)), list[Exception]()

    def report(origin: Origin, data: dict[str, Any]) -> None:
        start.wait()
        try:
            record(step, origin, made_at=NOW - SECOND, **data)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    for number in range(4):
        Transaction.objects.all().delete()
        threads = [threading.Thread(target=report, args=word) for word in words]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        row = Transaction.objects.get()
        assert (failed, row.amount, row.origin, row.agent) == ([], SOLD.amount, Origin.API, alice)
        assert [claim.amount for claim in row.claims.all()] == [Decimal(1)], number


def test_a_purchase_belongs_to_the_group_of_the_agents_contact(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    """The conversation has moved to another team since, where its agent has written nothing."""
    support = StepFactory(rule=step.rule, group__website=step.rule.website)
    verbs.transfer_to_group(
        talk.pk,
        group=support.group,
        queue_id=support.pk,
        actor=actors.agent(alice.user),
        at=NOW - HOUR / 2,
    )
    row, _is_new = record(step, Origin.API, by=talk.visitor)
    assert (row.agent, row.group) == (alice, step.group)
    assert (row.rule, row.style, row.language) == (talk.rule, talk.style, talk.language)


def test_for_an_agent_of_two_groups_the_contact_decides_the_group(
    step: RuleStep, talk: Conversation, alice: Agent
) -> None:
    support = StepFactory(rule=step.rule, group__website=step.rule.website)
    support.group.members.add(alice)
    actor = actors.agent(alice.user)
    verbs.transfer_to_group(
        talk.pk, group=support.group, queue_id=support.pk, actor=actor, at=NOW - HOUR / 2
    )
    verbs.push(talk.pk, agent=alice, at=NOW - HOUR / 3)
    first, _is_new = record(step, Origin.API, by=talk.visitor, external_id="1")
    say(talk, at=NOW - HOUR / 4)
    second, _is_new = record(step, Origin.API, by=talk.visitor, external_id="2")
    earlier = replace(SOLD, external_id="3", made_at=NOW - HOUR / 2)
    third, _is_new = recording.record(
        step.rule.website, earlier, visitor=talk.visitor, origin=Origin.API, at=NOW
    )
    assert [row.group for row in (first, second, third)] == [step.group, support.group, step.group]
