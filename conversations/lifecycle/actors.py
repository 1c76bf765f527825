"""The actors of verbs, which the ledger records."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from conversations.models import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """A kind of actor, and the user if it is one."""

    kind: ActorKind
    user_id: int | None = None


VISITOR = Actor(ActorKind.VISITOR)
BOT = Actor(ActorKind.BOT)
SYSTEM = Actor(ActorKind.SYSTEM)


def agent(user: User) -> Actor:
    """Return ``user`` as acting in their own desk or groups, whatever their role (R163)."""
    return Actor(ActorKind.AGENT, user.pk)


def manager(user: User) -> Actor:
    """Return ``user`` as acting on another agent's conversation (R92)."""
    return Actor(ActorKind.MANAGER, user.pk)
