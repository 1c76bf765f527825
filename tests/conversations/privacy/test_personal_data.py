"""A person's data is found by the schema, exported completely, and erased without a trace."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import Agent, Role, Website
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import agent as actor
from conversations.messages import sending
from conversations.models import (
    Address,
    Author,
    CloseReason,
    Conversation,
    Erasure,
    Event,
    Message,
    Note,
    Person,
    Visitor,
)
from conversations.privacy import personal_data
from conversations.visitors import persons
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import UserFactory, VisitorFactory, on_desk
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db
WORD = "Mirabelle"


def add_conversation(
    step: RuleStep, agent: Agent, visitor: Visitor, *, is_closed: bool = True
) -> None:
    conversation = on_desk(step, agent, visitor=visitor)
    for author in (Author.VISITOR, Author.AGENT):
        sending.add(conversation.pk, author=author, body=WORD, client_id=uuid.uuid4(), at=NOW)
    Note.objects.create(conversation=conversation, agent=agent, body=WORD, created_at=NOW)
    if is_closed:
        closer = actor(agent.user)
        verbs.close(conversation.pk, reason=CloseReason.RESOLVED, actor=closer, at=NOW)


@pytest.fixture
def person(step: RuleStep, agent: Agent) -> Person:
    """A customer with two browsers, who has written with each."""
    website = step.rule.website
    person = Person.objects.create(
        website=website, external_id="C-1", name=WORD, profile={"city": WORD}, created_at=NOW
    )
    for _browser in range(2):
        visitor = VisitorFactory(website=website, name=WORD, agrees=True)
        Address.objects.create(visitor=visitor, email=f"{WORD}@example.com", given_at=NOW)
        persons.link(visitor, person)
        add_conversation(step, agent, visitor)
    return person


def tables_with(word: str) -> list[str]:
    """Return all of our tables that contain the word, by querying the database."""
    tables = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{word}%"])
            if cursor.fetchone()[0]:
                tables.append(table)
    return tables


def test_export_contains_every_table_with_personal_data(person: Person) -> None:
    exported = personal_data.export(personal_data.of_person(person))["tables"]
    in_outbox = {"conversations_outboxentry"}
    assert {name.replace(".", "_") for name in exported} >= set(tables_with(WORD)) - in_outbox
    assert len(exported["conversations.message"]) == 4
    assert "token_hash" not in exported["conversations.visitor"][0]


def test_erasure_leaves_only_its_proof(step: RuleStep, agent: Agent, person: Person) -> None:
    other = VisitorFactory(website=step.rule.website)
    add_conversation(step, agent, other)
    before = Message.objects.filter(conversation__visitor=other).count()
    proof = personal_data.erase(personal_data.of_person(person), by=agent.user, at=NOW)
    Message.objects.filter(conversation__visitor=other).update(body="other")
    Note.objects.filter(conversation__visitor=other).update(body="other")
    assert tables_with(WORD) == []
    assert Message.objects.count() == before
    assert proof.rows["conversations.conversation"] == 2
    assert "C-1" not in json.dumps([proof.subject, proof.rows])
    with pytest.raises(Exception, match="append-only"):
        Event.objects.all().delete()  # the ledger is protected again


def test_person_with_open_conversation_cannot_be_erased(
    step: RuleStep, agent: Agent, person: Person
) -> None:
    visitor = person.visitors.first()
    assert visitor is not None
    add_conversation(step, agent, visitor, is_closed=False)
    with pytest.raises(CommandError, match="Close these conversations first"):
        call_command("erase_person", step.rule.website.key, "C-1", "--yes")
    assert Person.objects.count() == 1


def test_visitors_are_deleted_after_the_retention_period(
    step: RuleStep, agent: Agent, person: Person
) -> None:
    website = step.rule.website
    fresh = VisitorFactory(website=website, created_at=NOW + timedelta(days=29))
    busy = VisitorFactory(website=website)
    add_conversation(step, agent, busy, is_closed=False)
    Website.objects.update(retention_days=30)
    website.refresh_from_db()
    assert list(personal_data.expired(website, at=NOW + timedelta(days=29))) == []
    expired = personal_data.expired(website, at=NOW + timedelta(days=31))
    assert set(expired) == set(person.visitors.all())
    personal_data.forget(website, [visitor.pk for visitor in expired])
    assert set(Visitor.objects.all()) == {fresh, busy}
    assert not Person.objects.exists()


def test_only_administrators_can_export_and_erase(person: Person) -> None:
    def ask(role: Role, **more: str) -> Any:
        client = Client()
        log_in_freshly(client, UserFactory(role=role))
        sent = {"action": "erase", "_selected_action": person.pk} | more
        return client.post("/admin/conversations/person/", sent)

    assert ask(Role.MANAGER, confirmed="yes").status_code in {302, 403, 404}
    assert ask(Role.AGENT, confirmed="yes").status_code in {302, 403, 404}
    exported = json.loads(ask(Role.ADMIN, action="export").content)
    assert exported[0]["subject"] == "C-1"
    assert "conversations.message: 4" in ask(Role.ADMIN).content.decode()
    assert Conversation.objects.count() == 2
    assert ask(Role.ADMIN, confirmed="yes").status_code == 302
    assert (Conversation.objects.count(), Erasure.objects.count()) == (0, 1)
