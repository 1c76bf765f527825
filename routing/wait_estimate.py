"""The estimate of a visitor's wait, from the pace at which their queue moves (B4).

There is one only if it is honest: enough conversations have left the queue lately, it still moves,
an agent is available, and the group does not close before. The estimate is a time within which nine
in ten are served, if pushes come at random at that pace; a mean would be wrong for every second
visitor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.models import Channel, Group
from conversations.lifecycle.transitions import Verb
from conversations.models import Event
from routing import load

LOOK = timedelta(hours=2)
MOST = 20
"""How many pushes count: the pace of an hour ago is not that of now."""
ENOUGH = 10
STALLED = 4
"""A queue that has not moved for this many times its pace has stopped."""
NINE_IN_TEN = 1.3  # standard deviations, nearly
STEPS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
"""The possible estimates in minutes; beyond, there is none."""
CACHE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class QueuePace:
    """How a queue has moved: ``count`` pushes ``over`` some time until now, the last one ``quiet``
    ago. ``open_for``: until the group closes; ``None`` if no closing is known.
    """

    count: int
    over: timedelta
    quiet: timedelta
    open_for: timedelta | None = None


def minutes_within(place: int, pace: QueuePace) -> int | None:
    """Return the step of ``STEPS`` within which ``place`` (from 1 on) is served, or ``None``.

    ``None`` if no honest estimate is possible.
    """
    if pace.count < ENOUGH:
        return None
    each = pace.over / pace.count
    if pace.quiet > STALLED * each:
        return None
    # Two sources of chance: the pace is known from ``count`` pushes, and ``place`` more must come.
    within = place * each * (1 + NINE_IN_TEN * sqrt(1 / pace.count + 1 / place))
    if pace.open_for is not None and within > pace.open_for:
        return None
    return next((step for step in STEPS if within <= timedelta(minutes=step)), None)


def wait_of(group_id: int, channel: Channel, place: int, *, at: datetime) -> int | None:
    """Return the minutes within which ``place`` in a group is served, if they can be estimated.

    The pace is cached for some seconds, for all who wait there.
    """
    key = f"queue-pace:{group_id}:{channel.value}"
    try:
        pace: QueuePace | None = cache.get(key)
        if pace is None:
            pace = _queue_pace(group_id, channel, at=at)
            cache.set(key, pace, CACHE_SECONDS)
    except RedisError:
        return None  # Each visitor's request would have to compute it.
    return minutes_within(place, pace)


def _queue_pace(group_id: int, channel: Channel, *, at: datetime) -> QueuePace:
    pushes = list(
        Event.objects.filter(
            verb=Verb.PUSH,
            at__gt=at - LOOK,
            at__lte=at,
            group_id=group_id,
            conversation__channel=channel,
        )
        .order_by("-at")
        .values_list("at", flat=True)[:MOST]
    )
    group = Group.objects.get(pk=group_id)
    # The agents who made that pace may have left since; without agents nothing moves.
    if not pushes or not load.takers(group_id, channel, at=at):
        return QueuePace(0, timedelta(0), timedelta(0))
    closes = group.hours_change_at
    return QueuePace(
        count=len(pushes),
        over=at - pushes[-1],
        quiet=at - pushes[0],
        open_for=closes - at if closes is not None and closes > at else None,
    )
