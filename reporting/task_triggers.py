"""Reactions that only wake a worker: the work is done in a task, not in a web process."""

from __future__ import annotations

from asgiref.sync import sync_to_async

from reporting import tasks
from reporting.facts import ReplayWanted
from reporting.simulator.run_simulation import ASKED_SECONDS


async def play_again(fact: ReplayWanted) -> None:
    """Ask a worker to run a replay. Live, so it may be lost: the page keeps asking."""
    groups = None if fact.groups is None else list(fact.groups)
    arguments = (fact.website_id, list(fact.totals), fact.key, fact.at, groups)
    await sync_to_async(tasks.play_again.apply_async)(arguments, retry=False, expires=ASKED_SECONDS)


def write_exports(*, export_id: int) -> None:
    """Ask a worker to write exports. Durable until a worker was asked; that worker writes all
    waiting exports, and beat asks again."""
    tasks.write_exports.apply_async(retry=False, expires=60)
