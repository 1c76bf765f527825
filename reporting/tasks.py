"""The reporting tasks of beat and the workers."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from conversations.lifecycle import deadlines
from reporting.exports import export_queue, writing
from reporting.reports import subscriptions
from reporting.simulator import run_simulation


@shared_task
def mail_reports() -> int:
    """Request the mails of the reports that are due; return how many."""
    return subscriptions.publish_due(at=deadlines.database_now())


@shared_task
def play_again(
    website_id: int, totals: list[int], key: str, at: str, groups: list[int] | None = None
) -> None:
    """Replay a website's history up to ``at`` (ISO 8601) for the page that requested it."""
    run_simulation.run(website_id, totals, key, at=datetime.fromisoformat(at), groups=groups)


@shared_task(soft_time_limit=3600, time_limit=3660)
def write_exports() -> int:
    """Write the waiting exports one after the other; return how many."""
    count = 0
    while writing.write_next(at=deadlines.database_now()):
        count += 1
    return count


@shared_task
def forget_exports() -> int:
    """Delete the files that have expired; return how many."""
    return export_queue.forget(export_queue.over(at=deadlines.database_now()))
