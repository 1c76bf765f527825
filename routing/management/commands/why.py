"""Command that explains why a conversation waits."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.lifecycle import deadlines
from conversations.models import Conversation
from routing.waits import queries
from routing.waits.reasons import Explanation


class Command(BaseCommand):
    help = "Explain why a conversation waits: its rank, its queue, who could take it, and when."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("conversation", type=_number, help="Its number: 1042 or #1042.")

    def handle(self, *args: Any, conversation: int, **options: Any) -> None:
        mine = Conversation.objects.filter(pk=conversation)
        row = mine.select_related("website").first()
        if row is None:
            raise CommandError(f"Conversation #{conversation} does not exist.")
        found = queries.explained(mine, at=deadlines.database_now(), zone=row.website.zone)
        if not found:
            self.stdout.write(f"#{row.pk} does not wait: {row.get_status_display()}.")
            return
        self._tell(found[0])

    def _tell(self, found: Explanation) -> None:
        queue = f"{found.fill.rule} → {found.fill.group}".removeprefix(" → ")
        self.stdout.write(f"#{found.number} {found.status}: {found.summary}")
        self.stdout.write(f"  {found.rank_text}, since {found.waits_since:%Y-%m-%d %H:%M} UTC")
        self.stdout.write(f"  {queue}: {found.fill_text}")
        if found.time_left is not None:
            self.stdout.write(f"  time left: {str(found.time_left).split('.')[0]}")
        for candidate in found.candidates:
            reasons = ", ".join(reason.text for reason in candidate.reasons) or "could take it"
            self.stdout.write(f"  - {candidate.name}: {reasons}")
        for remedy in found.remedies:
            self.stdout.write(f"  > {remedy}")


def _number(text: str) -> int:
    return int(text.removeprefix("#"))
