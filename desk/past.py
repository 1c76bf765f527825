"""What an agent reads first: the pauses of a conversation, and how it came back (R135)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Agent
from conversations.models import ActorKind, Event
from conversations.transitions import Verb

BACK = frozenset({Verb.WAKE_TO_AGENT, Verb.WAKE_TO_GROUP})


@dataclass(frozen=True, slots=True)
class Pause:
    """One snooze; ``back_at`` is empty while it lasts, and where it ended in a closure."""

    begun_at: datetime
    by: str
    back_at: datetime | None = None
    woken_by: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether the visitor's own words brought it back (R113)."""
        return self.woken_by == ActorKind.VISITOR

    @property
    def is_over(self) -> bool:
        """Whether it came back because the time was over."""
        return self.woken_by == ActorKind.SYSTEM


def pauses_of(conversation_ids: Iterable[int]) -> dict[int, list[Pause]]:
    """The snoozes of each conversation, oldest first, from the ledger; two queries, however
    many there are."""
    lines = list(
        Event.objects.filter(
            conversation__in=list(conversation_ids), verb__in=[Verb.SNOOZE, *BACK]
        ).order_by("conversation", "id")
    )
    people = {line.actor_user_id for line in lines if line.verb == Verb.SNOOZE}
    agents = Agent.objects.filter(user__in=[one for one in people if one is not None])
    names = dict(agents.values_list("user", "display_name"))
    found: dict[int, list[Pause]] = {}
    for line in lines:
        pauses = found.setdefault(line.conversation_id, [])
        if line.verb == Verb.SNOOZE:
            pauses.append(Pause(line.at, names.get(line.actor_user_id or 0, "")))
        elif pauses and pauses[-1].back_at is None:
            last = pauses[-1]
            pauses[-1] = Pause(last.begun_at, last.by, line.at, line.actor_kind)
    return found
