"""Reactions that only start a task, so that the work runs in a worker, not in a web process.

They are live and may be lost: the agent asks again, or goes on without.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async

from conversations import tasks
from conversations.facts import ConversationMoved, SuggestionsAsked
from conversations.language_models import summaries

PATIENCE_SECONDS = 30
"""A later answer of the provider would not help: the agent has replied by then."""

SUMMARY_SECONDS = 60


async def summarise(fact: ConversationMoved) -> None:
    """Have a conversation summarised that people take over, if its website wants this. Asking first
    spares all other websites a task."""
    if fact.verb in summaries.AT_VERBS and await sync_to_async(summaries.is_on)(fact.website_id):
        await sync_to_async(tasks.summarise.apply_async)(
            (fact.conversation_id,), retry=False, expires=SUMMARY_SECONDS
        )


async def ask_provider(fact: SuggestionsAsked) -> None:
    await sync_to_async(tasks.ask_provider.apply_async)(
        (fact.offer_id,), retry=False, expires=PATIENCE_SECONDS
    )
