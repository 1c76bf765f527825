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
        explanations = queries.explained(mine, at=deadlines.database_now(), zone=row.website.zone)
        if not explanations:
            self.stdout.write(f"#{row.pk} does not wait: {row.get_status_display()}.")
            return
        self._print(explanations[0])

    def _print(self, explanation: Explanation) -> None:
        queue = f"{explanation.fill.rule} → {explanation.fill.group}".removeprefix(" → ")
        self.stdout.write(f"#{explanation.number} {explanation.status}: {explanation.summary}")
        self.stdout.write(
            f"  {explanation.rank_text}, since {explanation.waits_since:%Y-%m-%d %H:%M} UTC"
        )
        self.stdout.write(f"  {queue}: {explanation.fill_text}")
        if explanation.time_left is not None:
            self.stdout.write(f"  time left: {str(explanation.time_left).split('.')[0]}")
        for candidate in explanation.candidates:
            reasons = ", ".join(reason.text for reason in candidate.reasons) or "could take it"
            self.stdout.write(f"  - {candidate.name}: {reasons}")
        for remedy in explanation.remedies:
            self.stdout.write(f"  > {remedy}")


def _number(text: str) -> int:
    return int(text.removeprefix("#"))
