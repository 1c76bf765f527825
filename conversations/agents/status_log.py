"""The status log of agents, written by the verbs that change a status, and every hour.

``note`` is called in the transaction of a change. ``keep`` is called by beat: it cuts intervals at
the full hour, and corrects changes that no verb reports (a new group, slots on another channel).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.hours import Schedule, open_spans
from accounts.models import AgentChannel, Group
from accounts.models.hours import schedule_of
from conversations.models import Contact, StatusInterval

HOUR = timedelta(hours=1)
ALWAYS = datetime.max.replace(tzinfo=UTC)
RETENTION = timedelta(days=1100)
"""The length of the longest report, three years."""

Key = tuple[int, int, str]  # agent, website, channel
Interval = tuple[datetime, datetime]


def note(agent_id: int, *, at: datetime, is_connected: bool | None = None) -> None:
    """Record that an agent's status may have changed at ``at``. Without ``is_connected``, whether
    they are connected has not changed."""
    stored = list(_going_on().select_for_update(of=("self",)).filter(agent=agent_id))
    if is_connected is None:
        is_connected = bool(stored)
    wanted = _wanted([agent_id]) if is_connected else {}
    _bring(stored, wanted, at=at)


def update(connected: Collection[int], *, at: datetime) -> int:
    """Cut intervals at the full hour, and open or end those that should have been; return how many
    were written. ``connected`` are the connected agents."""
    # Rows that are locked are being brought up to date by ``note``. of: websites are only read.
    stored = list(_going_on().select_for_update(of=("self",), skip_locked=True))
    wanted = _wanted(connected)
    over = {span.pk for span in stored if _next_hour(span.started_at, span.website.zone) <= at}
    return _bring(stored, wanted, at=at, over=over)


def forget(*, at: datetime) -> int:
    """Delete intervals that are too old for any report; return how many."""
    return StatusInterval.objects.filter(started_at__lt=at - RETENTION).delete()[0]


def _going_on() -> QuerySet[StatusInterval]:
    return StatusInterval.objects.filter(ended_at=None).select_related("website").order_by("pk")


def _wanted(agents: Collection[int]) -> dict[Key, tuple[bool, list[int]]]:
    """Return the intervals that connected agents should have open: one for each website of their
    groups and each channel with slots, as (is available, ids of groups)."""
    groups = defaultdict[int, dict[int, list[int]]](lambda: defaultdict(list))
    members = Group.members.through.objects.filter(agent__in=agents).order_by("group")
    for agent_id, website_id, group_id in members.values_list("agent", "group__website", "group"):
        groups[agent_id][website_id].append(group_id)
    return {
        (row.agent_id, website_id, row.channel): (row.is_available, mine)
        for row in AgentChannel.objects.filter(agent__in=agents, slots__gt=0)
        for website_id, mine in groups[row.agent_id].items()
    }


def _bring(
    stored: list[StatusInterval],
    wanted: dict[Key, tuple[bool, list[int]]],
    *,
    at: datetime,
    over: Collection[int] = (),
) -> int:
    """End intervals that are no longer wanted, cut those that are ``over``, and begin those that
    are wanted and not open."""
    going_on, ends, begins = (
        set[Key](),
        list[tuple[StatusInterval, datetime]](),
        dict[Key, datetime](),
    )
    for span in stored:
        key = (span.agent_id, span.website_id, span.channel)
        is_wanted = wanted.get(key) == (span.is_available, sorted(span.groups or ()))
        if is_wanted and span.pk not in over:
            going_on.add(key)
            continue
        end = _last_hour(at, span.website.zone) if is_wanted else at
        ends.append((span, end))
        if is_wanted:
            begins[key] = end
    StatusInterval.objects.filter(pk__in=[span.pk for span, _end in ends]).delete()
    pieces = StatusInterval.objects.bulk_create(_ended(ends))
    # Two concurrent changes may begin the same interval.
    begun = StatusInterval.objects.bulk_create(
        (
            StatusInterval(
                agent_id=key[0],
                website_id=key[1],
                channel=key[2],
                is_available=is_available,
                groups=groups,
                started_at=begins.get(key, at),
            )
            for key, (is_available, groups) in wanted.items()
            if key not in going_on
        ),
        ignore_conflicts=True,
    )
    return len(pieces) + len(begun)


def _ended(ends: list[tuple[StatusInterval, datetime]]) -> list[StatusInterval]:
    """Return the ended intervals in pieces of at most an hour, with their busy and open seconds."""
    if not ends:
        return []
    agents = {span.agent_id for span, _end in ends}
    contacts = _contacts(agents, since=min(span.started_at for span, _end in ends))
    schedules = _schedules(agents)
    return [
        StatusInterval(
            agent_id=span.agent_id,
            website_id=span.website_id,
            channel=span.channel,
            is_available=span.is_available,
            groups=span.groups,
            started_at=start,
            ended_at=end,
            busy_seconds=covered(
                contacts[span.agent_id, span.website_id, span.channel], start, end
            ),
            open_seconds=covered(
                (
                    interval
                    for schedule in schedules[span.agent_id, span.website_id]
                    for interval in open_spans(schedule, start, end)
                ),
                start,
                end,
            ),
        )
        for span, last in ends
        for start, end in pieces_of(span.started_at, last, span.website.zone)
    ]


def _contacts(agents: Collection[int], *, since: datetime) -> dict[Key, list[Interval]]:
    intervals = defaultdict[Key, list[Interval]](list)
    rows = Contact.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=since), agent__in=agents
    ).values_list("agent", "conversation__website", "channel", "started_at", "ended_at")
    for agent_id, website_id, channel, start, end in rows:
        intervals[agent_id, website_id, channel].append((start, end or ALWAYS))
    return intervals


def _schedules(agents: Collection[int]) -> dict[tuple[int, int], list[Schedule]]:
    schedules = defaultdict[tuple[int, int], list[Schedule]](list)
    groups = (
        Group.objects.filter(members__in=agents)
        .select_related("website")
        .prefetch_related("opening_hours", "holidays", "website__holidays", "members")
        .distinct()
    )
    for group in groups:
        schedule = schedule_of(group)
        for member in group.members.all():
            schedules[member.pk, group.website_id].append(schedule)
    return schedules


# --- Pure ------------------------------------------------------------------------------------


def pieces_of(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Interval]:
    """Cut a time at the full hours of the wall clock; yield nothing if it is empty."""
    while start < end:
        cut = min(_next_hour(start, zone), end)
        yield start, cut
        start = cut


def covered(intervals: Iterable[Interval], start: datetime, end: datetime) -> float:
    """Return the seconds from ``start`` to ``end`` that are in at least one interval."""
    total, reached = 0.0, start
    for opens, closes in sorted(intervals):
        opens, closes = max(opens, reached), min(closes, end)
        if closes > opens:
            total += (closes - opens).total_seconds()
            reached = closes
    return total


def _last_hour(at: datetime, zone: ZoneInfo) -> datetime:
    wall = at.astimezone(zone)
    return at - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def _next_hour(at: datetime, zone: ZoneInfo) -> datetime:
    return _last_hour(at, zone) + HOUR
