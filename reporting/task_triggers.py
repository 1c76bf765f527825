"""Reactions that only wake a worker: what they ask for is done in a task, not in a web process."""

from __future__ import annotations

from asgiref.sync import sync_to_async

from reporting import tasks
from reporting.facts import ReplayWanted
from reporting.simulator.run_simulation import ASKED_SECONDS


async def play_again(fact: ReplayWanted) -> None:
    """Live, so it may be lost: the page goes on asking."""
    groups = None if fact.groups is None else list(fact.groups)
    told = (fact.website_id, list(fact.totals), fact.key, fact.at, groups)
    await sync_to_async(tasks.play_again.apply_async)(told, retry=False, expires=ASKED_SECONDS)


def write_exports(*, export_id: int) -> None:
    """Durable: until a worker could be asked. Whichever is asked, it writes all that is waited
    for; and beat asks once more."""
    tasks.write_exports.apply_async(retry=False, expires=60)
