"""The desk's data, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Agent, AgentChannel, Channel, Group, User
from conversations.calls.channels import FOR_CALLS, in_call
from conversations.inboxes.labels import channel_icon, channel_label
from conversations.lifecycle.transitions import PAUSED, Status
from conversations.models import Contact, Conversation
from conversations.visitors import visitor_presence
from routing import presence

HISTORY = 20


@dataclass(frozen=True, slots=True)
class StatusButton:
    """An agent's choice and load on one channel (R164-R170)."""

    channel: str
    label: str
    is_available: bool
    active: int
    slots: int

    @property
    def state(self) -> str:
        """``unavailable`` is red, ``full`` orange, ``available`` green."""
        if not self.is_available:
            return "unavailable"
        return "full" if self.active >= self.slots else "available"


@dataclass(frozen=True, slots=True)
class PausedConversation:
    """A conversation that is snoozed, or paused without a timer."""

    number: int
    channel: str
    channel_label: str
    channel_icon: str
    is_by_inbox: bool
    visitor: str
    tint: int
    is_online: bool
    group: str
    status: str
    status_label: str
    until: datetime | None
    is_auto_close: bool
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent to whom a conversation may be handed, with their load on its channel (R199)."""

    agent_id: int
    name: str
    is_connected: bool
    is_available: bool
    active: int
    slots: int


def agent_of(user: User) -> Agent | None:
    """Return the desk of a user, if they have one and their role lets them converse."""
    return None if user.reads_only else Agent.objects.filter(user=user).first()


def status_buttons(agent: Agent | None) -> list[StatusButton]:
    """Return one button for each channel on which the agent has slots."""
    if agent is None:
        return []
    order = list(Channel.values)
    channels = AgentChannel.objects.filter(agent=agent, slots__gt=0).annotate(
        active=_held(), is_in_call=in_call("agent")
    )
    buttons = [
        StatusButton(
            row.channel,
            row.get_channel_display(),
            row.is_available,
            # In a call, the channels of calls are full.
            max(row.active, row.slots)
            if row.is_in_call and row.channel in FOR_CALLS
            else row.active,
            row.slots,
        )
        for row in channels
    ]
    return sorted(buttons, key=lambda button: order.index(button.channel))


def waiting_count(agent: Agent | None) -> int:
    """Count the conversations on the desk that wait for the agent's answer."""
    if agent is None:
        return 0
    on_desk = Conversation.objects.filter(agent=agent, status=Status.ACTIVE)
    return on_desk.filter(visitor_waits_since__isnull=False).count()


def _held() -> Coalesce:
    held = (
        Contact.objects.filter(agent=OuterRef("agent"), channel=OuterRef("channel"), ended_at=None)
        .order_by()
        .values("agent")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Coalesce(Subquery(held, output_field=IntegerField()), 0)


def _snoozed_by(agent: Agent) -> QuerySet[Conversation]:
    return Conversation.objects.filter(agent=agent, status=Status.SNOOZED, is_kept=True)


def _left_to_team(agent: Agent) -> QuerySet[Conversation]:
    """Return what is paused without an agent (C4, C51).

    It was snoozed and left to the team, or taken from an agent who may no longer have it.
    """
    return Conversation.objects.filter(
        group__in=agent.groups.all(), status__in=PAUSED, agent=None, is_kept=False
    )


def snoozed_count(agent: Agent | None) -> int:
    """Count the conversations on the tab of snoozed ones (R116)."""
    if agent is None:
        return 0
    return (_snoozed_by(agent) | _left_to_team(agent)).count()


def kept_by(agent: Agent) -> list[PausedConversation]:
    """Return those snoozed and kept by this agent, the next to end first (R115, C4)."""
    return _paused_rows(_snoozed_by(agent).order_by("deadline_at", "pk"))


def left_to_team(agent: Agent) -> list[PausedConversation]:
    """Return those paused and left to this agent's groups, the next to end first (C4)."""
    return _paused_rows(_left_to_team(agent).order_by("deadline_at", "pk"))


def paused_by(agent: Agent) -> list[PausedConversation]:
    """Return those set to pending, on hold or solved, which come back to this agent (C34, C36)."""
    paused = Conversation.objects.filter(
        agent=agent, status__in=[Status.PENDING, Status.ON_HOLD, Status.SOLVED]
    )
    return _paused_rows(paused.order_by("-moved_at", "pk"))


def _paused_rows(rows: QuerySet[Conversation]) -> list[PausedConversation]:
    conversations = list(rows.select_related("visitor", "group", "inbox"))
    online = visitor_presence.online([row.visitor_id for row in conversations])
    return [
        PausedConversation(
            number=row.pk,
            channel=row.channel,
            channel_label=channel_label(row),
            channel_icon=channel_icon(row),
            is_by_inbox=row.inbox_id is not None,
            visitor=row.visitor.shown_name,
            tint=row.visitor.tint,
            is_online=row.visitor_id in online,
            group=row.group.name if row.group else "",
            status=row.status,
            status_label=row.get_status_display(),
            until=row.deadline_at,
            is_auto_close=row.is_auto_close,
            answered_at=row.last_agent_message_at,
        )
        for row in conversations
    ]


def visible(user: User) -> QuerySet[Conversation]:
    """Return the conversations that ``user`` may open, with everything that their page names."""
    return Conversation.objects.visible_to(user).select_related(
        "visitor__person", "agent", "group", "website", "queue__rule"
    )


def history_of(conversation: Conversation, user: User) -> list[Conversation]:
    """Return the visitor's other conversations that ``user`` may see, newest first (R194)."""
    same = Q(visitor=conversation.visitor_id)
    if conversation.visitor.person_id is not None:
        same |= Q(visitor__person=conversation.visitor.person_id)
    others = Conversation.objects.visible_to(user).filter(same).exclude(pk=conversation.pk)
    return list(others.select_related("agent").order_by("-opened_at")[:HISTORY])


def colleagues_for(conversation: Conversation, user: User, *, at: datetime) -> list[Colleague]:
    """Return members of the user's groups on this website, reachable and free ones first."""
    rows = (
        colleagues(conversation, user)
        .annotate(
            is_connected=Exists(presence.reachable_connections(at).filter(agent_id=OuterRef("pk"))),
        )
        .prefetch_related("channels")
    )
    agents = list(rows)
    loads = dict(
        Contact.objects.filter(agent__in=agents, channel=conversation.channel, ended_at=None)
        .values_list("agent")
        .annotate(n=Count("pk"))
        .order_by()
    )
    listed = []
    for agent in agents:
        on_channel = next(
            (row for row in agent.channels.all() if row.channel == conversation.channel), None
        )
        if on_channel is None:
            continue
        listed.append(
            Colleague(
                agent_id=agent.pk,
                name=agent.display_name,
                is_connected=agent.is_connected,
                is_available=on_channel.is_available,
                active=loads.get(agent.pk, 0),
                slots=on_channel.slots,
            )
        )
    return sorted(
        listed,
        key=lambda one: (
            not (one.is_connected and one.is_available and one.active < one.slots),
            not one.is_connected,
            one.name.lower(),
        ),
    )


def colleagues(conversation: Conversation, user: User) -> QuerySet[Agent]:
    """Return the agents to whom ``user`` may hand a conversation.

    The other members of the user's groups on its website, and those of the group it belongs to, if
    they have slots on its channel.
    """
    mine = Group.objects.filter(website=conversation.website_id).filter(
        Q(members__user=user) | Q(pk=conversation.group_id)
    )
    return (
        Agent.objects.filter(
            channels__in=AgentChannel.objects.filter(channel=conversation.channel, slots__gt=0),
            groups__in=mine.values("pk"),
            user__is_active=True,
        )
        .exclude(user=user)
        .distinct()
    )


def teams(conversation: Conversation) -> QuerySet[Group]:
    """Return the groups of the website: a transfer never crosses it."""
    return Group.objects.filter(website=conversation.website_id)


def agents_of(conversation: Conversation) -> QuerySet[Agent]:
    """Return the agents in groups of the website, except for its holder."""
    agents = Agent.objects.filter(groups__website=conversation.website_id, user__is_active=True)
    # ``pk__in=[]`` matches nobody, so that nobody is excluded.
    holder = Q(pk=conversation.agent_id) if conversation.agent_id else Q(pk__in=[])
    return agents.exclude(holder).distinct().order_by("display_name", "pk")
