"""Reactions that only wake a worker: what they ask for is done in a task, not in a web process.

Live, so they may be lost: whoever wanted it asks again, or does without.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async

from conversations import tasks
from conversations.facts import SuggestionsAsked

PATIENCE_SECONDS = 30
"""What a provider says later than that is no help to an agent who has answered meanwhile."""


async def ask_provider(fact: SuggestionsAsked) -> None:
    await sync_to_async(tasks.ask_provider.apply_async)(
        (fact.offer_id,), retry=False, expires=PATIENCE_SECONDS
    )
