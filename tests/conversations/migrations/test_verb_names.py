"""A migration renames verbs in an append-only ledger, in both directions."""

from __future__ import annotations

from importlib import import_module
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import Agent
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Verb
from conversations.models import Event
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import on_desk, with_bot

RENAMED = dict(import_module("conversations.migrations.0041_verb_names").RENAMED)


def lines() -> list[tuple[int, str]]:
    return list(Event.objects.order_by("pk").values_list("pk", "verb"))


def assert_append_only() -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.update(verb="close")


def condition_of_index() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'events_counted'")
        return str(cursor.fetchone()[0])


@pytest.mark.usefixtures("migrate")
def test_verb_names_are_migrated_in_both_directions(step: RuleStep, agent: Agent) -> None:
    with_bot(step)
    unanswered = on_desk(step, agent)
    verbs.requeue(unanswered.pk, at=NOW)
    verbs._move(
        unanswered.pk, Verb.DROP_SKILLS, actor=actors.SYSTEM, at=NOW, are_skills_relaxed=True
    )
    new = lines()
    assert {verb for _pk, verb in new} >= set(RENAMED.values())

    call_command("migrate", "conversations", "0040", verbosity=0)
    former = {value: name for name, value in RENAMED.items()}
    assert lines() == [(pk, former.get(verb, verb)) for pk, verb in new]
    assert "'recall'" in condition_of_index()
    assert_append_only()

    call_command("migrate", verbosity=0)
    assert lines() == new
    assert "'requeue'" in condition_of_index()
    assert_append_only()
    output = StringIO()
    call_command("verify_ledger", stdout=output)
    assert "2 conversations" in output.getvalue()
