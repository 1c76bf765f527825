"""``manage.py restart_feed``: continue the change feed after a restore into another server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from conversations import feed


class Command(BaseCommand):
    help = (
        "Continue the change feed above its highest position. Run it once after a dump was "
        "restored into another PostgreSQL server, before programs read the feed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        feed.rebase()
        self.stdout.write("The change feed goes on above its highest position.")
