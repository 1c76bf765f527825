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

from conversations import outbox
from conversations.facts import Fact

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


def publish(fact: Fact) -> None:
    """Tell ``fact`` to everybody wired to it; call inside the transaction that made it true."""
    owed = [outbox.owe(name, asdict(fact)) for name in _durable.get(type(fact), ())]
    transaction.on_commit(lambda: _react(fact, owed), robust=True)


def _react(fact: Fact, owed: list[int]) -> None:
    if _live.get(type(fact)):
        async_to_sync(announce)(fact)
    for entry in owed:
        outbox.deliver(entry)


async def announce(fact: Fact) -> None:
    """Run the live reactions to a fact that is already committed. Never raises: it may be lost."""
    for reaction in _live.get(type(fact), ()):
        try:
            await reaction(fact)
        except Exception:
            logger.exception("live reaction lost: %s", reaction)
