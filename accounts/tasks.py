"""Celery tasks for accounts."""

from __future__ import annotations

from celery import shared_task

from accounts.logins import passwords


@shared_task
def send_links(user_ids: list[int]) -> None:
    """Mail links to users who have forgotten their passwords."""
    passwords.send_links(user_ids=user_ids)
