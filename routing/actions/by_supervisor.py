"""What supervisors do to the conversations of others: release, reassign, wake.

Each verb checks under the lock of the row that the user still oversees it: a transfer to another
team may have come before the click.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from accounts import supervision
from accounts.models import Agent, Group, User
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import Refused, Status, Verb
from conversations.models import Conversation
from core.db.retry import retried
from routing.actions import assignment


def oversees(conversation: Conversation, user: User) -> bool:
    """Return whether ``user`` oversees it and may act; seeing it as an agent is not enough."""
    return user.steers and supervision.of(user).covers(
        conversation.website_id, conversation.group_id
    )


def _check(conversation: Conversation, user: User, verb: Verb) -> None:
    if not oversees(conversation, user):
        raise Refused(verb, Status(conversation.status), "this user no longer oversees it")


@retried
def release(conversation_id: int, *, user: User, at: datetime) -> Conversation:
    """Return a stranded or assigned conversation to its queue (R92-R96, C21)."""
    conversation = assignment.lock_unheld(conversation_id, Verb.RELEASE, at)
    _check(conversation, user, Verb.RELEASE)
    return verbs.release(conversation_id, actor=actors.manager(user), at=at)


@retried
def reassign(
    conversation_id: int,
    *,
    to: Agent | Group,
    user: User,
    at: datetime,
    skills: Collection[int] | None = None,
) -> Conversation:
    """Give a conversation that waits, or is on a lost desk, to an agent or team of the website.

    The user need not oversee the new team. As with a release, a conversation on the desk of a
    connected agent stays there (C21).
    """
    verb = Verb.TRANSFER_TO_GROUP if isinstance(to, Group) else Verb.TRANSFER_TO_AGENT
    conversation = assignment.lock_unheld(conversation_id, verb, at)
    _check(conversation, user, verb)
    actor = actors.manager(user)
    if isinstance(to, Group):
        return assignment.transfer_to_group(
            conversation_id, group=to, actor=actor, at=at, skills=skills
        )
    if not to.groups.filter(website=conversation.website_id).exists():
        raise Refused(
            verb, Status(conversation.status), "this agent is in no group of this website"
        )
    return assignment.transfer_to_agent(conversation_id, agent=to, actor=actor, at=at)


@retried
def wake(conversation_id: int, *, user: User, at: datetime) -> Conversation:
    """End somebody's snooze; it returns to its agent or its team (C2, C4)."""
    _check(verbs.lock(conversation_id), user, Verb.WAKE_TO_GROUP)
    return verbs.wake(conversation_id, actor=actors.manager(user), at=at)
