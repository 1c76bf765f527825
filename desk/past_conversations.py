"""How often past conversations were paused and released, which an agent reads first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from conversations.lifecycle.transitions import Verb
from conversations.models import Event

RELEASES = (Verb.RELEASE, Verb.REQUEUE)


@dataclass(frozen=True, slots=True)
class Past:
    """How many times a conversation was snoozed, and taken from a desk without an answer."""

    snoozes: int = 0
    releases: int = 0


def pasts_of(conversation_ids: Iterable[int]) -> dict[int, Past]:
    """Return the ledger's counts for conversations with a snooze or a release; one query."""
    events = Event.objects.filter(
        conversation__in=list(conversation_ids), verb__in=[Verb.SNOOZE, *RELEASES]
    )
    counted = (
        events.order_by()
        .values("conversation")
        .annotate(
            snoozes=Count("pk", filter=Q(verb=Verb.SNOOZE)),
            releases=Count("pk", filter=Q(verb__in=RELEASES)),
        )
    )
    return {row["conversation"]: Past(row["snoozes"], row["releases"]) for row in counted}
