"""Agents' connections and availability, and what follows from a change of either.

A desk's socket sends a heartbeat every ``BEAT`` seconds. An agent is connected while one of their
desks was heard within ``GRACE`` (45 s), so a reload or a tunnel changes nothing. To get something
new they must be reachable: a socket that is open now and was heard lately.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Agent, AgentChannel, Channel
from conversations.agents import status_log
from conversations.models import Contact
from core.events import bus
from routing.facts import AgentChanged, CapacityAdded
from routing.models import DeskConnection, DeskPresence

BEAT = 10
GRACE = timedelta(seconds=45)
FORGOTTEN = timedelta(days=1)

# The usual case of ``hear``. Plain SQL, for the sockets, whose event loop has no thread to spare.
HEARD_AGAIN = """
    UPDATE routing_deskconnection d SET heard_at = %(at)s
    FROM routing_deskpresence p
    WHERE d.id = %(connection)s AND d.closed_at IS NULL
        AND d.heard_at > %(at)s - %(grace)s AND p.agent_id = d.agent_id AND p.is_connected
"""


def reachable_connections(at: datetime) -> QuerySet[DeskConnection]:
    """Return the sockets through which pushes reach a desk at ``at``."""
    return DeskConnection.objects.filter(closed_at=None, heard_at__gt=at - GRACE)


def reachable(at: datetime, agent: str = "agent_id") -> Exists:
    """Return a condition: the agent in column ``agent`` can receive a push."""
    return Exists(reachable_connections(at).filter(agent_id=OuterRef(agent)))


def is_connected(agent_id: int, at: datetime) -> bool:
    """Return whether a desk of the agent was heard within the grace; release checks it (R96)."""
    return DeskConnection.objects.filter(agent_id=agent_id, heard_at__gt=at - GRACE).exists()


@transaction.atomic
def connect(agent_id: int, connection_id: uuid.UUID, *, at: datetime) -> None:
    """Record that a desk opened its socket.

    The agent's row is locked, as by a release: either the release sees the agent arrive, or the
    agent arrives at a desk without the conversation (R96).
    """
    Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    DeskConnection.objects.create(id=connection_id, agent_id=agent_id, opened_at=at, heard_at=at)
    _announce(agent_id, is_connected=True, at=at)
    bus.publish(CapacityAdded(agent_id=agent_id))


def record_heartbeat(connection_id: uuid.UUID, *, at: datetime) -> bool:
    """Record a heartbeat; False if the connection is no longer known (logged out).

    A desk that was given up as lost (the network, or our own database, was away for a minute) is
    back with this: it is announced and can get conversations again.
    """
    mine = DeskConnection.objects.filter(pk=connection_id)
    was_heard = mine.filter(
        closed_at=None, heard_at__gt=at - GRACE, agent__presence__is_connected=True
    )
    # The update comes first and takes no other lock: it runs every ten seconds for each desk.
    return bool(was_heard.update(heard_at=at)) or _come_back(connection_id, at=at)


@transaction.atomic
def _come_back(connection_id: uuid.UUID, *, at: datetime) -> bool:
    agent_id = DeskConnection.objects.filter(pk=connection_id).values_list("agent_id", flat=True)
    # Only for the lock, as in ``connect``: the agent's row before that of the connection.
    Agent.objects.select_for_update(no_key=True).filter(pk__in=agent_id).first()
    mine = DeskConnection.objects.select_for_update().filter(pk=connection_id).first()
    if mine is None:
        return False
    mine.heard_at, mine.closed_at = at, None
    mine.save(update_fields=["heard_at", "closed_at"])
    _announce(mine.agent_id, is_connected=True, at=at)
    bus.publish(CapacityAdded(agent_id=mine.agent_id))
    return True


def disconnect(connection_id: uuid.UUID, *, at: datetime) -> None:
    """Close the socket; the agent stays connected for the grace, but gets nothing new by it."""
    DeskConnection.objects.filter(pk=connection_id, closed_at=None).update(closed_at=at)


def is_there(agent_id: int) -> bool:
    """Return whether anything of a desk is left that a logout would end."""
    return (
        DeskConnection.objects.filter(agent_id=agent_id).exists()
        or AgentChannel.objects.filter(agent_id=agent_id, is_available=True).exists()
    )


@transaction.atomic
def log_out(agent_id: int, *, at: datetime) -> None:
    """Log out: unavailable on every channel and disconnected at once (R136, R171, R172)."""
    Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    DeskConnection.objects.filter(agent_id=agent_id).delete()
    AgentChannel.objects.filter(agent_id=agent_id, is_available=True).update(
        is_available=False, available_changed_at=at
    )
    _announce(agent_id, is_connected=False, at=at)


@transaction.atomic
def leave(agent_id: int, *, at: datetime) -> bool:
    """Log out if the desk is empty; in any case become unavailable on every channel (R136).

    False if something is left on the desk: the agent must snooze, close or transfer it first
    (R137, C22).
    """
    Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    if not Contact.objects.filter(agent_id=agent_id, ended_at=None).exists():
        log_out(agent_id, at=at)
        return True
    available = AgentChannel.objects.filter(agent_id=agent_id, is_available=True)
    if available.update(is_available=False, available_changed_at=at):
        status_log.note(agent_id, at=at)
        bus.publish(AgentChanged(agent_id=agent_id))
    return False


@transaction.atomic
def set_available(agent_id: int, channel: Channel, available: bool, *, at: datetime) -> bool:
    """Set the agent's choice on a channel; False without slots on it (R164-R167)."""
    Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    mine = AgentChannel.objects.filter(agent_id=agent_id, channel=channel, slots__gt=0)
    if not mine.exists():
        return False
    if mine.exclude(is_available=available).update(is_available=available, available_changed_at=at):
        status_log.note(agent_id, at=at)
        bus.publish(AgentChanged(agent_id=agent_id))
        if available:
            bus.publish(CapacityAdded(agent_id=agent_id))
    return True


@transaction.atomic
def notice_losses(*, at: datetime) -> int:
    """Announce agents who have not been heard for the grace; return how many.

    Safe to run anywhere, any number of times: each loss is announced once.
    """
    recently_heard = DeskConnection.objects.filter(
        agent_id=OuterRef("agent_id"), heard_at__gt=at - GRACE
    )
    lost = (
        DeskPresence.objects.select_for_update(skip_locked=True)
        .filter(Q(is_connected=True) & ~Exists(recently_heard))
        .order_by("agent_id")
    )
    count = 0
    for presence in lost:
        _announce(presence.agent_id, is_connected=False, at=at)
        count += 1
    DeskConnection.objects.filter(heard_at__lt=at - FORGOTTEN).delete()
    return count


@transaction.atomic
def keep_spans(*, at: datetime) -> int:
    """Split status intervals at the full hour; return how many were written."""
    connected = DeskPresence.objects.filter(is_connected=True).values_list("agent", flat=True)
    return status_log.update(list(connected), at=at)


def _announce(agent_id: int, *, is_connected: bool, at: datetime) -> None:
    """Store and announce a change of connection, once."""
    presence, is_first = DeskPresence.objects.select_for_update().get_or_create(
        agent_id=agent_id, defaults={"is_connected": is_connected, "changed_at": at}
    )
    if is_first or presence.is_connected != is_connected:
        presence.is_connected = is_connected
        presence.changed_at = at
        presence.save()
        status_log.note(agent_id, at=at, is_connected=is_connected)
        bus.publish(AgentChanged(agent_id=agent_id))
