"""The command that creates the two roles of the database."""

from __future__ import annotations

import secrets
from typing import Any

import psycopg
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from config import database_roles
from config.database_roles import Role


class Command(BaseCommand):
    help = (
        "Create a role that owns and migrates the database, and one for the application, which can "
        "neither drop triggers nor touch records. Run it with DATABASE_URL of a superuser, or of "
        "the database's owner who may create roles. Safe to run again."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", default="causerie_owner", help="Its name.")
        parser.add_argument("--application", default="causerie_app", help="Its name.")

    def handle(self, *args: Any, owner: str, application: str, **options: Any) -> None:
        if owner == application:
            raise CommandError("The owner and the application are two roles.")
        roles = {name: Role(name, secrets.token_urlsafe(24)) for name in (owner, application)}
        try:
            with transaction.atomic():
                connection.ensure_connection()
                created = database_roles.create(
                    connection.connection, owner=roles[owner], application=roles[application]
                )
        except psycopg.Error as error:
            raise CommandError(str(error).strip()) from None
        for name in created:
            self.stdout.write(f"Created {name} with the password {roles[name].password}")
        self.stdout.write(f"{owner} owns the database. {application} may read and write its rows.")
