"""Reading and keeping what an agent's desk remembers for him."""

from __future__ import annotations

from accounts.models import Preferences


def of(agent_id: int | None) -> Preferences:
    """An agent's preferences; the defaults for somebody who never set one, or has no desk."""
    if agent_id is None:
        return Preferences()
    return Preferences.objects.filter(agent_id=agent_id).first() or Preferences()


def remember(agent_id: int, **values: bool | int) -> None:
    """Keep some of them, whatever the others are."""
    Preferences.objects.update_or_create(agent_id=agent_id, defaults=values)
