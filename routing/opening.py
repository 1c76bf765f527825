"""Opening and closing of groups by time: the next moment is on the group's row, then a drain.

``Group.is_open`` and ``hours_change_at`` are computed from the opening hours whenever those change
and at each moment of change. Statements read both columns (``accounts.models.open_at``), so that a
late beat opens no group late; it only drains late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.hours import is_open, next_change
from accounts.models import (
    READ_ONLY_ROLES,
    Agent,
    AgentChannel,
    Channel,
    Group,
    schedule_of,
)
from core.events import bus
from routing.facts import GroupChanged


def groups_of(website_id: int) -> list[int]:
    groups = Group.objects.filter(website=website_id).order_by("pk")
    return list(groups.values_list("pk", flat=True))


def back_at(
    groups: Iterable[Group], channel: Channel, *, at: datetime, skills: Collection[int] = ()
) -> datetime | None:
    """Return when the first of these groups opens that could take what requires ``skills``.

    ``None`` if one is open, or the moment is unknown. If none has an able agent: when the first of
    all opens.
    """
    groups = list(groups)
    opens = {group.pk: group.opens_at(at) for group in groups}
    if not groups or any(group.is_open_at(at) for group in groups):
        return None
    able = Group.objects.filter(pk__in=opens, members__in=_able(channel, skills))
    of_able = [opens[pk] for pk in able.order_by().values_list("pk", flat=True).distinct()]
    moments = [moment for moment in of_able or opens.values() if moment is not None]
    return min(moments, default=None)


def _able(channel: Channel, skills: Collection[int]) -> QuerySet[Agent]:
    """Return agents with slots on a channel, all of ``skills`` and an account that converses."""
    agents = Agent.objects.filter(
        Q(user__is_superuser=True) | ~Q(user__role__in=READ_ONLY_ROLES),
        channels__in=AgentChannel.objects.filter(channel=channel, slots__gt=0),
        user__is_active=True,
    )
    for skill in skills:
        # One condition for each skill: ``skills__in`` would admit agents with any of them.
        agents = agents.filter(pk__in=Agent.objects.filter(skills=skill).order_by().values("pk"))
    return agents.order_by()


def set_again(groups: Iterable[int], *, at: datetime) -> None:
    """Store whether groups are open at ``at``, and until when.

    Their rows are locked, so that of two simultaneous computations the later one stays.
    """
    rows = (
        Group.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=list(groups))
        .select_related("website")
        .prefetch_related("opening_hours", "holidays", "website__holidays")
        .order_by("pk")
    )
    for group in rows:
        schedule = schedule_of(group)
        group.is_open = is_open(schedule, at)
        group.hours_change_at = next_change(schedule, at)
        group.save(update_fields=["is_open", "hours_change_at"])


@transaction.atomic
def open_and_close(*, at: datetime) -> int:
    """Open or close the groups whose moment has come, and drain them; return how many.

    Any number of processes may do this at once: each change is made by one.
    """
    due = list(
        # A locked group is being opened by somebody else.
        Group.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(hours_change_at__lte=at)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    set_again(due, at=at)
    for group_id in due:
        bus.publish(GroupChanged(group_id=group_id))
    return len(due)
