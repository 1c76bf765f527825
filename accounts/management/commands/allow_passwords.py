"""``manage.py allow_passwords ROLE``: for when the provider of single sign-on has failed."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandParser

from accounts.models import LoginRule, Role


class Command(BaseCommand):
    help = "Let users of a role log in without single sign-on again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=Role.values)

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        LoginRule.objects.filter(role=role).update(needs_single_sign_on=False)
        print(f"Users with the role {role!r} log in by password again.")
