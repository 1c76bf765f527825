"""Transactions: the worked examples, recorded once, explained, reversed by a refund."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Agent
from conversations.lifecycle import actors, verbs
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation, Person
from reporting.models import Origin, Transaction
from reporting.sales import recording
from reporting.sales.attribution import AttributionResult
from reporting.sales.recording import Conflict, Invalid, Purchase, Unknown
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, VisitorFactory, queued

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class Story:
    """One customer, step by step; an hour passes with each step."""

    def __init__(self, step: RuleStep) -> None:
        self.step, self.at = step, NOW
        self.conversation: Conversation = queued(step, at=NOW)
        self.agents: dict[str, Agent] = {}
        for name in "ABC":
            self.agents[name] = AgentFactory(display_name=name)
            step.group.members.add(self.agents[name])

    def exchanges(self, name: str) -> None:
        """Bring the conversation to this agent's desk, if it is not there; both write."""
        self.at += HOUR
        one = self._fresh()
        if one.status == "snoozed":
            self._says(Author.VISITOR)
            one = self._fresh()
        if one.status != "active":
            verbs.push(one.pk, agent=self.agents[name], at=self.at)
        self._says(Author.VISITOR)
        self._says(Author.AGENT)

    def snoozes(self, name: str) -> None:
        self.at += HOUR
        verbs.snooze(
            self.conversation.pk,
            until=self.at + timedelta(days=30),
            keep=False,
            auto_close=False,
            actor=actors.agent(self.agents[name].user),
            at=self.at,
        )

    def forwards(self, name: str) -> None:
        self.at += HOUR
        verbs.transfer_to_group(
            self.conversation.pk,
            group=self.step.group,
            queue_id=self.step.pk,
            actor=actors.agent(self.agents[name].user),
            at=self.at,
        )

    def closes(self, name: str) -> None:
        self.at += HOUR
        verbs.close(
            self.conversation.pk,
            reason=CloseReason.RESOLVED,
            actor=actors.agent(self.agents[name].user),
            at=self.at,
        )

    def buys(self, number: str = "1001", *, made_at: datetime | None = None) -> Transaction:
        self.at += HOUR
        row, _ = self.records(number, made_at=made_at)
        return row

    def records(
        self, number: str, *, made_at: datetime | None = None, **other: Any
    ) -> tuple[Transaction, bool]:
        purchase = Purchase(number, Decimal("89.90"), "EUR", made_at or self.at)
        return recording.record(
            self.step.rule.website,
            replace(purchase, **other),
            visitor=self.conversation.visitor,
            origin=Origin.SCRIPT,
            at=self.at,
        )

    def _says(self, author: Author) -> None:
        sending.add(
            self.conversation.pk, author=author, body="…", client_id=uuid.uuid4(), at=self.at
        )

    def _fresh(self) -> Conversation:
        return Conversation.objects.get(pk=self.conversation.pk)


@pytest.fixture
def story() -> Story:
    return Story(StepFactory(places=9))


def test_r64_the_transaction_belongs_to_the_last_agent_who_wrote(story: Story) -> None:
    story.exchanges("A")
    story.snoozes("A")
    story.exchanges("B")
    story.snoozes("B")
    bought = story.buys()
    story.exchanges("C")
    story.closes("C")
    bought.refresh_from_db()
    assert bought.agent == story.agents["B"]


def test_r65_a_transfer_attributes_to_the_agent_who_wrote_last(story: Story) -> None:
    story.exchanges("A")
    story.snoozes("A")
    story.exchanges("A")
    story.forwards("A")
    story.exchanges("B")
    story.snoozes("B")
    bought = story.buys()
    story.exchanges("B")
    story.closes("B")
    bought.refresh_from_db()
    assert bought.agent == story.agents["B"]


def test_r68_a_purchase_after_three_days_is_too_late(story: Story) -> None:
    """The expert takes it on Monday, writes, snoozes for a week; a purchase on Thursday."""
    assert NOW.strftime("%A") == "Monday"
    story.exchanges("A")
    story.snoozes("A")
    written = story.at - HOUR
    story.at = NOW + timedelta(days=3)
    bought = story.buys()
    assert (bought.outcome, bought.agent) == (AttributionResult.TOO_LATE, None)
    assert bought.elapsed == story.at - written
    assert (bought.conversation, bought.message_seq) == (story.conversation, 2)


def test_the_delay_is_stored_with_the_transaction(story: Story) -> None:
    website = story.step.rule.website
    website.transaction_hours = 96
    story.exchanges("A")
    story.at = NOW + timedelta(days=3)
    bought = story.buys()
    website.transaction_hours = 1
    website.save()
    bought.refresh_from_db()
    assert (bought.agent, bought.delay) == (story.agents["A"], timedelta(hours=96))


def test_a_person_is_the_same_customer_on_every_browser(story: Story) -> None:
    story.exchanges("A")
    website = story.step.rule.website
    person = Person.objects.create(website=website, external_id="42", created_at=NOW)
    other = VisitorFactory(website=website, person=person)
    purchase = Purchase("1", Decimal("1"), "EUR", story.at)
    how: dict[str, Any] = {"origin": Origin.API, "at": story.at}
    row, _ = recording.record(website, purchase, visitor=other, **how)
    assert row.outcome == AttributionResult.NO_ANSWER
    visitor = story.conversation.visitor
    visitor.person = person
    visitor.save()
    row, _ = recording.record(website, replace(purchase, external_id="2"), visitor=other, **how)
    assert row.agent == story.agents["A"]


def test_unknown_and_foreign_visitors_are_not_attributed(story: Story) -> None:
    story.exchanges("A")
    foreign = StepFactory().rule.website
    for website, visitor in (
        (story.step.rule.website, None),
        (foreign, story.conversation.visitor),
    ):
        row, _ = recording.record(
            website,
            Purchase("7", Decimal("1"), "EUR", story.at),
            visitor=visitor,
            origin=Origin.IMPORT,
            at=story.at,
        )
        assert (row.outcome, row.agent, row.visitor) == (
            AttributionResult.UNKNOWN_VISITOR,
            None,
            None,
        )


def test_a_past_import_considers_only_earlier_messages(story: Story) -> None:
    story.exchanges("A")
    between = story.at + timedelta(minutes=30)
    story.forwards("A")
    story.exchanges("B")
    assert story.buys("late", made_at=between).agent == story.agents["A"]


def test_a_repeat_returns_the_stored_purchase_and_a_different_one_conflicts(
    story: Story,
) -> None:
    story.exchanges("A")
    first, is_new = story.records("1001")
    again, is_new_again = story.records("1001")
    assert (is_new, is_new_again, again.pk) == (True, False, first.pk)
    with pytest.raises(Conflict):
        story.records("1001", amount=Decimal("90"))
    assert Transaction.objects.count() == 1


def test_a_purchase_is_refunded_once(story: Story) -> None:
    story.exchanges("A")
    story.buys("1001")
    website = story.step.rule.website
    assert recording.refund(website, "1001", at=story.at)[1]
    assert not recording.refund(website, "1001", at=story.at + HOUR)[1]
    for where, number in ((website, "9999"), (StepFactory().rule.website, "1001")):
        with pytest.raises(Unknown):
            recording.refund(where, number, at=story.at)
    assert Transaction.objects.get().refunded_at == story.at
    with pytest.raises(Invalid):
        recording.refund(website, "1001", number="again", at=story.at)


def test_partial_refunds_are_limited_to_the_amount(story: Story) -> None:
    story.exchanges("A")
    story.buys("1001")
    website = story.step.rule.website

    def refund(number: str, amount: str | None) -> tuple[Decimal, bool]:
        part = None if amount is None else Decimal(amount)
        row, is_new = recording.refund(website, "1001", amount=part, number=number, at=story.at)
        return row.refunded, is_new

    assert refund("r1", "20") == (Decimal("20"), True)
    assert refund("r1", "20") == (Decimal("20"), False)
    with pytest.raises(Conflict):
        refund("r1", "21")
    for wrong in ("69.91", "0", "-1", "NaN", "1.005"):
        with pytest.raises(Invalid):
            refund("r2", wrong)
    assert Transaction.objects.get().refunded_at is None
    assert refund("r2", None) == (Decimal("89.90"), True)
    assert Transaction.objects.get().refunded_at == story.at


@pytest.mark.parametrize(
    "wrong",
    [
        {"external_id": ""},
        {"external_id": "x" * 101},
        {"external_id": "a\0b"},
        {"amount": Decimal("-1")},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("Infinity")},
        {"amount": Decimal("1.005")},
        {"amount": Decimal("1e12")},
        {"currency": "euro"},
        {"currency": "€"},
    ],
)
def test_invalid_purchases_are_refused(story: Story, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        story.records("1", **wrong)


def test_purchases_in_the_future_are_refused(story: Story) -> None:
    with pytest.raises(Invalid):
        story.records("1", made_at=story.at + HOUR)
