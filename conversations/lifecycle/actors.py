"""Who does something: every verb is told, and the ledger writes it down."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from conversations.models import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """A kind, and the user where it is one."""

    kind: ActorKind
    user_id: int | None = None


VISITOR = Actor(ActorKind.VISITOR)
BOT = Actor(ActorKind.BOT)
SYSTEM = Actor(ActorKind.SYSTEM)


def agent(user: User) -> Actor:
    """``user`` acting on a conversation of his own desk or groups, whatever his role (R163)."""
    return Actor(ActorKind.AGENT, user.pk)


def manager(user: User) -> Actor:
    """``user`` steering somebody else's conversation (R92)."""
    return Actor(ActorKind.MANAGER, user.pk)
