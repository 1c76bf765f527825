"""The columns stored for the figures match the ledger; deviations are found, named and repaired."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Agent
from conversations.lifecycle import actors, consistency, denormalized, verbs
from conversations.messages import sending
from conversations.models import Author, CloseReason, Contact, Conversation, Event, Survey
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, WebsiteFactory, on_desk, with_bot

MINUTE = timedelta(minutes=1)


def conversation_with_two_contacts(step: RuleStep, agent: Agent) -> Conversation:
    """Create a conversation with two contacts by two agents, a wait that an expiry did not end, and
    a closure."""
    conversation = on_desk(step, agent)
    actor, other = actors.agent(agent.user), AgentFactory()
    other.groups.add(step.group)
    verbs.transfer_to_agent(conversation.pk, agent=other, actor=actor, at=NOW + MINUTE)
    verbs._move(conversation.pk, verbs.Verb.EXPIRE, actor=actors.SYSTEM, at=NOW + 2 * MINUTE)
    verbs.push(conversation.pk, agent=other, at=NOW + 3 * MINUTE)
    return verbs.close(
        conversation.pk,
        reason=CloseReason.RESOLVED,
        actor=actors.agent(other.user),
        at=NOW + 4 * MINUTE,
    )


def answered_conversation(step: RuleStep, agent: Agent, **how: Any) -> Conversation:
    """Create a conversation that was answered and closed."""
    conversation = on_desk(step, agent, **how)
    actor, reason = actors.agent(agent.user), CloseReason.RESOLVED
    sending.add(conversation.pk, author=Author.AGENT, body="…", client_id=uuid.uuid4(), at=NOW)
    return verbs.close(conversation.pk, reason=reason, actor=actor, at=NOW + MINUTE)


def of(row: Any) -> tuple[Any, ...]:
    """Return what contacts and surveys copy from their conversation."""
    return row.website_id, row.rule_id, row.style, row.language


def all_differences() -> list[tuple[int, str]]:
    return [one for window in consistency.windows() for one in consistency.differences(*window)]


def test_verbs_maintain_denormalized_columns(step: RuleStep, agent: Agent) -> None:
    row = Conversation.objects.get(pk=conversation_with_two_contacts(step, agent).pk)
    assert row.began_to_wait_at == NOW + MINUTE
    assert row.last_holder == row.payee
    assert row.last_holder != agent
    assert (row.contact_count, row.changed_hands, row.is_begun_by_bot) == (2, True, False)
    assert [contact.began_to_wait_at for contact in row.contacts.order_by("pk")] == [
        NOW,
        NOW + MINUTE,
    ]
    assert {of(one) for one in row.contacts.all()} == {of(row)}
    survey = Survey.objects.get(
        conversation=answered_conversation(step, agent, style="social", language="de")
    )
    assert of(survey) == (row.website_id, step.rule_id, "social", "de")
    greeted = Conversation.objects.get(pk=with_bot(step).pk)
    assert (greeted.is_begun_by_bot, greeted.contact_count) == (True, 0)
    assert all_differences() == []


def rows(conversation: Conversation) -> Any:
    return Conversation.objects.filter(pk=conversation.pk)


SPOIL: dict[str, Callable[[Conversation, Agent], Any]] = {
    "began_to_wait_at": lambda c, a: rows(c).update(began_to_wait_at=NOW),
    "last_holder_id": lambda c, a: rows(c).update(last_holder=a),
    "contact_count": lambda c, a: rows(c).update(contact_count=3),
    "changed_hands": lambda c, a: rows(c).update(changed_hands=False),
    "is_begun_by_bot": lambda c, a: rows(c).update(is_begun_by_bot=True),
    "payee_id": lambda c, a: rows(c).update(payee=a),
    "payee_role": lambda c, a: rows(c).update(payee_role="manager"),
    "open_response_seconds": lambda c, a: rows(c).update(open_response_seconds=1.5),
    "open_resolution_seconds": lambda c, a: rows(c).update(open_resolution_seconds=0.1),
    "contact .* began_to_wait_at": lambda c, a: c.contacts.update(began_to_wait_at=NOW - MINUTE),
    "contact .* website_id": lambda c, a: c.contacts.update(website=WebsiteFactory()),
    "contact .* rule_id": lambda c, a: c.contacts.update(rule=None),
    "contact .* style": lambda c, a: c.contacts.update(style="social"),
    "contact .* language": lambda c, a: c.contacts.update(language="de"),
    "survey .* website_id": lambda c, a: c.surveys.update(website=WebsiteFactory()),
    "survey .* rule_id": lambda c, a: c.surveys.update(rule=StepFactory().rule),
    "survey .* style": lambda c, a: c.surveys.update(style=""),
    "survey .* language": lambda c, a: c.surveys.update(language=""),
}


@pytest.mark.parametrize("what", SPOIL)
def test_differences_are_named_and_repaired(what: str, step: RuleStep, agent: Agent) -> None:
    conversation = conversation_with_two_contacts(step, agent)
    Survey.objects.create(
        conversation=conversation, **denormalized.copied(conversation), offered_at=NOW
    )
    other = on_desk(step, agent)
    assert all_differences() == []
    SPOIL[what](conversation, agent)
    differences = all_differences()
    assert differences
    assert {number for number, _difference in differences} == {conversation.pk}
    for _number, difference in differences:
        assert re.search(what, difference), difference
    (window,) = consistency.windows()
    assert consistency.mend(*window) == len(
        {difference.split(":")[0] for _n, difference in differences}
    )
    assert all_differences() == []
    assert other.contacts.count() == 1


def test_windows_contain_each_conversation_once(
    step: RuleStep, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [on_desk(step, agent).pk for _ in range(5)]
    monkeypatch.setattr(consistency, "WINDOW", 2)
    held = [n for low, high in consistency.windows() for n in range(low, high) if n in numbers]
    assert held == numbers
    rows_of = Contact.objects.filter(conversation__in=numbers)
    rows_of.update(began_to_wait_at=NOW - MINUTE)
    assert [number for number, _difference in all_differences()] == numbers


@contextmanager
def ledger_open() -> Iterator[None]:
    """Disable the trigger that protects the ledger, as the database's owner could."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE conversations_event DISABLE TRIGGER conversations_event_stands")
        yield
        cursor.execute("ALTER TABLE conversations_event ENABLE TRIGGER conversations_event_stands")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("column", ["at", "verb", "agent_id", "actor_kind"])
def test_manually_changed_event_is_detected(
    column: str, step: RuleStep, agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = [conversation_with_two_contacts(step, agent).pk for _ in range(3)]
    call_command("verify_ledger")
    call_command("recount_figures")
    assert "agree with the ledger" in capsys.readouterr().out
    lines = Event.objects.filter(conversation=numbers[1]).order_by("pk")
    changed = {
        "at": (2, NOW + MINUTE + timedelta(microseconds=1)),
        "verb": (4, "take"),
        "agent_id": (1, AgentFactory().pk),
        "actor_kind": (5, "manager"),
    }
    place, value = changed[column]
    with ledger_open():
        Event.objects.filter(pk=lines[place].pk).update(**{column: value})
    with pytest.raises(CommandError):
        call_command("verify_ledger")
    output = capsys.readouterr().out
    assert f"#{numbers[1]}: " in output
    assert f"#{numbers[0]}: " not in output
    assert f"#{numbers[2]}: " not in output


@pytest.mark.django_db(transaction=True)
def test_command_fails_on_differences_and_repairs_them(
    step: RuleStep, agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = conversation_with_two_contacts(step, agent)
    rows(conversation).update(contact_count=7)
    with pytest.raises(CommandError, match="1 differences"):
        call_command("recount_figures")
    assert f"#{conversation.pk}: conversation {conversation.pk}: contact_count is 7" in (
        capsys.readouterr().out
    )
    call_command("recount_figures", "--mend")
    assert "1 rows corrected" in capsys.readouterr().out
