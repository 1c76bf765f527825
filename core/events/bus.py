"""The event bus: verbs publish facts, and ``config/wiring.py`` lists the reactions to each.

There are two kinds of reaction. A live reaction (a push to a screen) is a coroutine that runs after
the commit and may be lost. A durable reaction (a drain of the queue, an e-mail) is an outbox row
written in the transaction of the fact; it runs right after the commit, and the sweep retries it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction

from core import tasks
from core.events import outbox
from core.events.facts import Fact
from core.monitoring import measurements, tracing
from core.realtime import channel_groups, event_loop

logger = logging.getLogger(__name__)

Live = Callable[[Any], Awaitable[None]]

WORKER_SECONDS = 60
"""After this time the sweep has delivered the entry."""

_live: dict[type[Fact], list[Live]] = {}
_durable: dict[type[Fact], list[str]] = {}
_in_worker: set[str] = set()


def on(fact: type[Fact], *reactions: Live) -> None:
    """Run the coroutines ``reactions`` after each commit that published ``fact``."""
    _live.setdefault(fact, []).extend(reactions)


def on_durably(fact: type[Fact], reaction: Callable[..., None], *, in_worker: bool = False) -> None:
    """Run ``reaction(**fields of the fact)`` at least once for each ``fact``.

    It must be safe to run twice: a process may die before it has marked the entry as done. With
    ``in_worker`` it never runs in the process that published the fact, which may be one that
    answers people.
    """
    name = outbox.register(reaction)
    _durable.setdefault(fact, []).append(name)
    if in_worker:
        _in_worker.add(name)


def owed_to(fact: type[Fact]) -> list[str]:
    """Return the names of the durable reactions to ``fact``, for statements that write their
    entries themselves."""
    return list(_durable.get(fact, ()))


def forget() -> None:
    """Remove all wiring, so that it can be set up again."""
    _live.clear()
    _durable.clear()
    _in_worker.clear()


def publish(*facts: Fact) -> None:
    """Schedule the reactions to ``facts``. Call it in the transaction that made them true.

    Equal facts count once: a hundred conversations that begin to wait in a group owe one drain.
    """
    unique = facts if len(facts) == 1 else tuple(dict.fromkeys(facts))
    debts = [(name, asdict(fact)) for fact in unique for name in _durable.get(type(fact), ())]
    names = [name for name, _payload in debts]
    owed = list(zip(names, outbox.enqueue(debts) if debts else [], strict=True))
    live = [fact for fact in unique if _live.get(type(fact))]
    if live or owed:
        # robust: what is committed must not fail because of a reaction.
        transaction.on_commit(lambda: _react(live, owed), robust=True)


def publish_later(fact: Fact, *, seconds: float) -> None:
    """Schedule the durable reactions to ``fact``, in a worker, for a later moment."""
    debts = [(name, asdict(fact)) for name in _durable.get(type(fact), ())]
    entries = outbox.enqueue(debts, delay=timedelta(seconds=seconds))
    transaction.on_commit(lambda: wake_worker(entries, seconds=seconds), robust=True)


def _react(live: list[Fact], owed: list[tuple[str, int]]) -> None:
    if live:
        # Workers and commands have a loop in a thread. In a web process ``async_to_sync`` finds the
        # server's own.
        if event_loop.is_there():
            event_loop.run(announce(*live))
        else:
            async_to_sync(announce)(*live)
    for name, entry in owed:
        if name in _in_worker:
            wake_worker([entry])
        else:
            outbox.deliver(entry)


def wake_worker(entries: list[int], *, seconds: float = 0) -> None:
    """Ask a worker to deliver committed outbox entries, now or in some seconds. If that fails, the
    sweep delivers them."""
    for entry in entries:
        try:
            tasks.deliver.apply_async(
                (entry,),
                # Celery would retry a broker that is away, while somebody waits for the response.
                retry=False,
                countdown=seconds,
                expires=seconds + WORKER_SECONDS,
                headers=tracing.present(),
            )
        except Exception:
            logger.exception("no worker was asked to deliver outbox entry %s", entry)


async def wake_worker_later(entries: list[int]) -> None:
    """Do the same from the event loop."""
    # Not in the one thread that all synchronous views share: it may be busy with a slow one.
    await sync_to_async(wake_worker, thread_sensitive=False)(entries)


async def announce(*facts: Fact) -> None:
    """Run the live reactions to committed facts. Errors are logged, never raised."""
    async with channel_groups.together():
        for fact in facts:
            measurements.count(measurements.FACTS, type(fact).__name__)
            for reaction in _live.get(type(fact), ()):
                try:
                    await reaction(fact)
                except Exception:
                    logger.exception("live reaction lost: %s", reaction)
