"""From facts to reactions: verbs publish facts here, ``config/wiring.py`` says who reacts.

Two kinds of reaction. A live one (a push to a screen) is a coroutine that runs after the commit
and may be lost. A durable one (a drain of the queue, an e-mail) is an outbox row written in the
transaction of the fact; it is tried at once after the commit and, failing that, by the sweep.
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
    """Have the coroutines ``reactions`` run after each commit that published ``fact``."""
    _live.setdefault(fact, []).extend(reactions)


def on_durably(fact: type[Fact], reaction: Callable[..., None]) -> None:
    """Have ``reaction(**fields of the fact)`` run at least once for each ``fact``.

    It must be safe to run twice: a process may die between the work and its tick in the outbox.
    """
    _durable.setdefault(fact, []).append(outbox.register(reaction))


def forget() -> None:
    """Drop all wiring, so that it can be laid again."""
    _live.clear()
    _durable.clear()


def publish(*facts: Fact) -> None:
    """Tell ``facts`` to everybody wired to them; call inside the transaction that made them true.

    Equal facts are one: a hundred conversations that begin to wait in a group owe one drain.
    """
    told = facts if len(facts) == 1 else tuple(dict.fromkeys(facts))
    debts = [(name, asdict(fact)) for fact in told for name in _durable.get(type(fact), ())]
    owed = outbox.owe(debts) if debts else []
    live = [fact for fact in told if _live.get(type(fact))]
    if live or owed:
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
    """Run the live reactions to facts that are already committed. Never raises: they may be
    lost."""
    async with channel_groups.together():
        for fact in facts:
            for reaction in _live.get(type(fact), ()):
                try:
                    await reaction(fact)
                except Exception:
                    logger.exception("live reaction lost: %s", reaction)
