"""``manage.py reset_second_factors USERNAME``: for somebody who has lost their device."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.facts import AccountSecured
from accounts.logins import second_factors
from accounts.logins.notices import Event
from accounts.models import User
from core.events import bus


class Command(BaseCommand):
    help = "Remove all second factors of a user, who is told by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    @transaction.atomic
    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        if not second_factors.remove_all(user):
            print(f"{username} has no second factor.")
            return
        now = timezone.now().isoformat()
        bus.publish(AccountSecured(user_id=user.pk, event=Event.FACTORS_RESET, at=now))
        print(f"{username} logs in with the password alone.")
