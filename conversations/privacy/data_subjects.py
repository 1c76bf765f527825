"""Command-line arguments for a data subject: a website's key, and an external or visitor id."""

from __future__ import annotations

import uuid

from django.core.management.base import CommandError, CommandParser

from conversations.models import Person, Visitor
from conversations.privacy import personal_data
from conversations.privacy.personal_data import Subject


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("website", help="The website's key.")
    parser.add_argument("subject", help="The external id of a person, or the id of a visitor.")


def find(website: str, name: str) -> Subject:
    person = Person.objects.filter(website__key=website, external_id=name).first()
    if person is not None:
        return personal_data.of_person(person)
    try:
        visitor = Visitor.objects.filter(website__key=website, public_id=uuid.UUID(name)).first()
    except ValueError:
        visitor = None
    if visitor is None:
        raise CommandError(f"No person or visitor on {website} has the id {name}.")
    return personal_data.of_visitor(visitor)
