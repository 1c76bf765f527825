"""The event bus: verbs publish facts, and ``config/wiring.py`` lists the reactions to each.

There are two kinds of reaction. A live reaction (a push to a screen) is a coroutine that runs after
the commit and may be lost. A durable reaction (a drain of the queue, an e-mail) is an outbox row
written in the transaction of the fact; it runs right after the commit, and the sweep retries it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction

from core.events import outbox
from core.events.facts import Fact
from core.realtime import channel_groups, event_loop

logger = logging.getLogger(__name__)

Live = Callable[[Any], Awaitable[None]]

_live: dict[type[Fact], list[Live]] = {}
_durable: dict[type[Fact], list[str]] = {}


def on(fact: type[Fact], *reactions: Live) -> None:
    """Run the coroutines ``reactions`` after each commit that published ``fact``."""
    _live.setdefault(fact, []).extend(reactions)


def on_durably(fact: type[Fact], reaction: Callable[..., None]) -> None:
    """Run ``reaction(**fields of the fact)`` at least once for each ``fact``.

    It must be safe to run twice: a process may die before it has marked the entry as done.
    """
    _durable.setdefault(fact, []).append(outbox.register(reaction))


def forget() -> None:
    """Remove all wiring, so that it can be set up again."""
    _live.clear()
    _durable.clear()


def publish(*facts: Fact) -> None:
    """Schedule the reactions to ``facts``. Call it in the transaction that made them true.

    Equal facts count once: a hundred conversations that begin to wait in a group owe one drain.
    """
    unique = facts if len(facts) == 1 else tuple(dict.fromkeys(facts))
    debts = [(name, asdict(fact)) for fact in unique for name in _durable.get(type(fact), ())]
    owed = outbox.enqueue(debts) if debts else []
    live = [fact for fact in unique if _live.get(type(fact))]
    if live or owed:
        # robust: what is committed must not fail because of a reaction.
        transaction.on_commit(lambda: _react(live, owed), robust=True)


def _react(live: list[Fact], owed: list[int]) -> None:
    if live:
        if event_loop.is_there():
            event_loop.run(announce(*live))
        else:
            async_to_sync(announce)(*live)
    for entry in owed:
        outbox.deliver(entry)


async def announce(*facts: Fact) -> None:
    """Run the live reactions to committed facts. Errors are logged, never raised."""
    async with channel_groups.together():
        for fact in facts:
            for reaction in _live.get(type(fact), ()):
                try:
                    await reaction(fact)
                except Exception:
                    logger.exception("live reaction lost: %s", reaction)
