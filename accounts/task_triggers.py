"""Reactions that only wake a worker: the work is done in a task, not in a web process."""

from __future__ import annotations

from accounts import tasks

PATIENCE_SECONDS = 3600


def send_links(*, user_ids: list[int]) -> None:
    """Ask a worker to mail links. In a web process, the time that a mail takes would tell a
    stranger that there is an account. Durable until a worker was asked."""
    tasks.send_links.apply_async((user_ids,), retry=False, expires=PATIENCE_SECONDS)
