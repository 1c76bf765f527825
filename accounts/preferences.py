"""Reading and saving an agent's preferences for their desk."""

from __future__ import annotations

from accounts.models import Preferences


def of(agent_id: int | None) -> Preferences:
    """Return an agent's preferences, or the defaults if none are stored or there is no agent."""
    if agent_id is None:
        return Preferences()
    return Preferences.objects.filter(agent_id=agent_id).first() or Preferences()


def remember(agent_id: int, **values: bool | int) -> None:
    """Save these values and leave the others unchanged."""
    Preferences.objects.update_or_create(agent_id=agent_id, defaults=values)
