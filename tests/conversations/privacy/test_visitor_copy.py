"""A visitor's own copy: their messages and what they gave, nothing that agents keep for
themselves."""

from __future__ import annotations

import json

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from conversations.models import Event, Note, Person, Visitor
from conversations.privacy.tables import registered
from conversations.privacy.visitor_copy import copy_for
from tests.conversations.privacy.test_personal_data import WORD, person

__all__ = ["person"]  # the fixture

pytestmark = pytest.mark.django_db


def test_copy_contains_messages_from_all_browsers_of_a_person(person: Person) -> None:
    Note.objects.update(body="between us")
    first = person.visitors.order_by("pk")[0]
    exported = copy_for(first)
    assert [row["external_id"] for row in exported["kept"]["person"]] == ["C-1"]
    assert [row["body"] for row in exported["kept"]["message"]] == [WORD] * 4
    assert len(exported["kept"]["consent"]) == 2
    text = json.dumps(exported, cls=DjangoJSONEncoder)
    assert "between us" not in text
    assert "token" not in text
    assert "agent_id" not in text


def test_every_personal_table_is_registered() -> None:
    """A new table that points to a visitor needs a decision."""
    models, todo = set(), [Person, Visitor]
    while todo:
        model = todo.pop()
        if model in models:
            continue
        models.add(model)
        todo += [relation.related_model for relation in model._meta.related_objects]
    assert Event in models
    assert {model._meta.label_lower for model in models} == registered().keys()
    for table in registered().values():
        assert {field.attname for field in table.model._meta.concrete_fields} >= set(table.given)
