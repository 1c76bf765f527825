"""What an agent does with a conversation that they hold.

Each verb checks under the lock of the row that they still hold it (``verbs.Held``): a release or a
transfer may have come before the click.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from accounts import preferences
from accounts.models import Agent, AgentChannel, Group, User
from conversations.agents import notes
from conversations.inboxes import templates
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.transitions import WAITING, Refused, Status, Verb
from conversations.lifecycle.verbs import Held
from conversations.messages import closing_message, rejections, sending
from conversations.messages.sending import Sent
from conversations.models import Author, CloseReason, Contact, Conversation
from conversations.visitors import blocks, persons
from core.db.retry import retried
from routing.actions import assignment

ON_DESK_OR_ASSIGNED = frozenset({Status.ACTIVE, Status.ASSIGNED})


@retried
def snooze(
    conversation_id: int,
    *,
    user: User,
    until: datetime,
    keep: bool,
    auto_close: bool,
    at: datetime,
    warn_again: bool | None = None,
    seen: int | None = None,
) -> Conversation:
    """Snooze until ``until`` or until the visitor replies (R100).

    The state of the auto-close box is remembered for the agent (R125-R127). ``warn_again`` is their
    answer to the warning, if it was shown (R129).
    """
    snoozed = verbs.snooze(
        conversation_id,
        until=until,
        keep=keep,
        auto_close=auto_close,
        held=Held(user, seen),
        actor=actors.agent(user),
        at=at,
    )
    answers = {} if warn_again is None else {"warns_of_closure": warn_again}
    preferences.remember(user.agent.pk, closes_snoozed=auto_close, **answers)
    return snoozed


@retried
def finish(
    conversation_id: int, *, user: User, at: datetime, seen: int | None = None
) -> Conversation:
    """Close from the desk (R197, C33).

    Only this closure, by an agent, sends the website's closing message (R130).
    """
    conversation = verbs.hold(conversation_id, Held(user, seen), verb=Verb.CLOSE)
    sending.add(
        conversation_id,
        author=Author.SYSTEM,
        # Before the verb: a closed conversation takes no message.
        body=closing_message.words(conversation.website, conversation.language),
        client_id=uuid.uuid4(),
        at=at,
    )
    return verbs.finish(conversation_id, actor=actors.agent(user), at=at)


@retried
def send_template(
    conversation_id: int,
    *,
    user: User,
    key: str,
    values: Mapping[str, str],
    client_id: uuid.UUID,
    at: datetime,
) -> Sent:
    """Send a text that the provider of the conversation's channel has approved; raise ``Rejected``
    if the agent does not hold the conversation, or if the provider would refuse the text."""
    conversation = verbs.lock(conversation_id)
    holder = conversation.agent
    if conversation.status != Status.ACTIVE or holder is None or holder.user_id != user.pk:
        raise rejections.not_on_desk()
    persons.check_willing(conversation.visitor)
    body, offer = templates.compose(conversation.inbox, key, values)
    return sending.add(
        conversation_id,
        author=Author.AGENT,
        body=body,
        offer=offer,
        client_id=client_id,
        at=at,
    )


@retried
def set_pending(
    conversation_id: int, *, user: User, at: datetime, seen: int | None = None
) -> Conversation:
    """Set aside until the visitor replies (C36)."""
    actor = actors.agent(user)
    return verbs.set_pending(conversation_id, held=Held(user, seen), actor=actor, at=at)


@retried
def set_on_hold(
    conversation_id: int, *, user: User, at: datetime, seen: int | None = None
) -> Conversation:
    """Set aside until a third party answers (C36)."""
    actor = actors.agent(user)
    return verbs.set_on_hold(conversation_id, held=Held(user, seen), actor=actor, at=at)


@retried
def block(
    conversation_id: int, *, user: User, reason: str, until: datetime | None, at: datetime
) -> Conversation:
    """Block the visitor and close, without a closing message or survey (R58, C24)."""
    conversation = verbs.hold(conversation_id, Held(user), verb=Verb.CLOSE)
    blocks.block(conversation, reason=reason, until=until, by=user, at=at)
    return verbs.close(conversation_id, reason=CloseReason.BLOCKED, actor=actors.agent(user), at=at)


@retried
def transfer(
    conversation_id: int,
    *,
    user: User,
    to: Agent | Group,
    at: datetime,
    note: str = "",
    skills: Collection[int] | None = None,
) -> Conversation:
    """Transfer to a colleague or another team (R199), with a note for the next agent. ``skills``
    are those that the team's agent needs; by default the required languages."""
    actor = actors.agent(user)
    verb = Verb.TRANSFER_TO_AGENT if isinstance(to, Agent) else Verb.TRANSFER_TO_GROUP
    held = Held(user, statuses=ON_DESK_OR_ASSIGNED)
    conversation = verbs.hold(conversation_id, held, verb=verb)
    if note:
        assert conversation.agent_id is not None  # held by the user's agent
        notes.write(conversation_id, agent_id=conversation.agent_id, body=note, at=at)
    if isinstance(to, Agent):
        return assignment.transfer_to_agent(conversation_id, agent=to, actor=actor, at=at)
    return assignment.transfer_to_group(
        conversation_id, group=to, actor=actor, at=at, skills=skills
    )


@retried
def resume(conversation_id: int, *, user: User, at: datetime) -> Conversation:
    """Bring back a pending, on-hold or solved conversation.

    It returns to the agent who paused it; one left to the team returns to its group's queue
    (C34, C51).
    """
    agent = Agent.objects.select_for_update(no_key=True).get(user=user)
    conversation = verbs.lock(conversation_id)
    if conversation.agent_id is None:
        is_mine = agent.groups.filter(conversations=conversation.pk).exists()
    else:
        is_mine = conversation.agent_id == agent.pk
    if not is_mine:
        raise Refused(Verb.REOPEN, Status(conversation.status), "it belongs to another agent")
    conversation = verbs.reopen(conversation_id, actor=actors.agent(user), at=at)
    return _onto_my_desk(conversation, agent, user=user, at=at)


@retried
def wake(conversation_id: int, *, user: User, at: datetime) -> Conversation:
    """End a snooze by hand (R101, C4).

    One kept by this agent goes to their desk, or is assigned to them if they are full. One left to
    the team goes to its group's queue.
    """
    agent = Agent.objects.select_for_update(no_key=True).get(user=user)
    conversation = verbs.lock(conversation_id)
    if conversation.is_kept:
        is_mine = conversation.agent_id == agent.pk
    else:
        is_mine = agent.groups.filter(conversations=conversation.pk).exists()
    if not is_mine:
        raise Refused(Verb.WAKE_TO_AGENT, Status(conversation.status), "it is not for this agent")
    conversation = verbs.wake(conversation_id, actor=actors.agent(user), at=at)
    return _onto_my_desk(conversation, agent, user=user, at=at)


def _onto_my_desk(
    conversation: Conversation, agent: Agent, *, user: User, at: datetime
) -> Conversation:
    """Take what is now assigned to this agent if a slot is free, even while unavailable."""
    if conversation.status not in WAITING or conversation.agent_id != agent.pk:
        return conversation
    held = Contact.objects.filter(agent=agent, channel=conversation.channel, ended_at=None).count()
    has_slot = AgentChannel.objects.filter(
        agent=agent, channel=conversation.channel, slots__gt=held
    ).exists()
    if not has_slot:
        return conversation
    return verbs.take(conversation.pk, agent=agent, actor=actors.agent(user), at=at)
