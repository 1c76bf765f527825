"""``manage.py first_administrator``: print the link of a new installation again."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from accounts.logins import first_administrator


class Command(BaseCommand):
    help = (
        "Print a link to create the first administrator in the browser, if nobody has an account "
        "yet. It works once, for an hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if first_administrator.is_missing():
            self.stdout.write(first_administrator.link())
        elif options["verbosity"]:
            self.stderr.write("There are accounts already. An administrator adds others.")
