"""The command that replays the ledger of conversations and lists differences to the rows."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.lifecycle import invariants, ledger
from conversations.models import Conversation
from conversations.reasons import record


class Command(BaseCommand):
    help = (
        "Replay the ledger of all conversations, or of those given by number, and compare states "
        "and contacts with the stored ones, and tags with their record. Changes nothing. Safe to "
        "run on a live system."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "numbers", nargs="*", type=int, help="Numbers of the conversations to check."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        conversations = Conversation.objects.order_by("pk")
        if options["numbers"]:
            conversations = conversations.filter(pk__in=options["numbers"])
        differences = 0
        with invariants.frozen():
            count = conversations.count()

            def tell(done: int) -> None:
                self.stderr.write(f"{done} of {count}")

            for number, difference in ledger.verify(conversations, on_progress=tell):
                differences += 1
                self.stdout.write(f"#{number}: {difference}")
            for number, difference in record.differences(conversations):
                differences += 1
                self.stdout.write(f"#{number}: {difference}")
        if differences:
            raise CommandError(f"{differences} differences in {count} conversations")
        self.stdout.write(f"{count} conversations agree with their ledger.")
