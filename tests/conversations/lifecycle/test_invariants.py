"""The checker finds each fault, made by hand past every verb, and names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Agent
from conversations.lifecycle import deadlines, denormalized, invariants, verbs
from conversations.lifecycle.transitions import Status
from conversations.models import Contact, Conversation, Message
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, in_status, on_desk, queued

SPOIL: dict[str, Callable[[Conversation], Any]] = {
    "one_holder": lambda c: Contact.objects.filter(conversation=c).update(agent=AgentFactory()),
    "contacts_in_turn": lambda c: Contact.objects.create(
        conversation=c,
        **denormalized.copied(c),
        agent=c.agent,
        channel=c.channel,
        queued_at=NOW,
        began_to_wait_at=NOW,
        started_at=NOW - timedelta(hours=1),
        ended_at=NOW + timedelta(hours=1),
        end_reason="closed",
    ),
    "seq": lambda c: Message.objects.create(
        conversation=c, seq=2, client_id=c.public_id, author="visitor", body="x", created_at=NOW
    ),
    "ledger": lambda c: Conversation.objects.filter(pk=c.pk).update(status="pending"),
    "not_late": lambda c: Conversation.objects.filter(pk=c.pk).update(
        deadline_at=NOW - timedelta(hours=1), deadline_kind="answer_timer"
    ),
}


def checks() -> set[str]:
    return {finding.check for finding in invariants.findings(at=NOW)} - {"outbox"}


@pytest.mark.parametrize("check", SPOIL)
def test_corrupted_row_is_detected(check: str, step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    assert checks() == set()
    SPOIL[check](conversation)
    assert check in checks()


def test_push_beyond_slots_is_detected_from_the_ledger(step: RuleStep, agent: Agent) -> None:
    for _ in range(3):
        verbs.push(queued(step).pk, agent=agent, at=NOW, slots=2)
    assert checks() == {"slots"}


def test_queueing_beyond_places_is_detected_from_the_ledger(step: RuleStep) -> None:
    for _ in range(2):
        queued(step, places=1)
    assert checks() == {"places"}


def test_early_deadline_is_detected(step: RuleStep, agent: Agent) -> None:
    conversation = in_status(Status.ASSIGNED, step, agent)
    Conversation.objects.filter(pk=conversation.pk).update(deadline_at=NOW)
    deadlines.enforce(conversation.pk, at=NOW)
    assert checks() == {"not_early"}


@pytest.mark.django_db(transaction=True)
def test_commands_print_findings_and_fail(
    step: RuleStep, agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    number = on_desk(step, agent).pk
    call_command("verify_ledger")
    call_command("check_invariants")
    assert "Every invariant holds." in capsys.readouterr().out
    Conversation.objects.filter(pk=number).update(status="pending")
    for command in ("verify_ledger", "check_invariants"):
        with pytest.raises(CommandError):
            call_command(command)
        assert f"#{number}" in capsys.readouterr().out
    call_command("verify_ledger", str(number + 1))
