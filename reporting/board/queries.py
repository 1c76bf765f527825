"""The data of the production report, as plain dataclasses from a few queries. Counts conversations,
not contacts (R87)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Min,
    Q,
    QuerySet,
)

from accounts import supervision
from accounts.models import Agent, AgentChannel, Channel, User
from conversations.lifecycle.transitions import WAITING, Status
from conversations.models import Contact, Conversation, Survey
from reporting.board import agents_today, waits
from reporting.board.agents_today import AgentToday, Median, since_midnight
from reporting.board.scope import Seen, View
from reporting.board.waits import Waits
from routing import address_shares
from routing.models import RuleStep

SNOOZED_LIMIT = 25
AGENTS_LIMIT = 40
"""Rows per page. The board changes every second, so a page must be short enough to watch."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What is waiting in one queue. ``places`` is ``None`` where a group without a queue was given
    conversations. ``returned`` counts those that came back, and ``silent`` those whose visitors
    were not heard from after the first message; both may exceed the places (C16)."""

    rule: str
    group: str
    places: int | None
    waiting: int
    returned: int
    silent: int
    oldest_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.places is not None and self.waiting > self.places


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """An agent's state on a channel; ``since`` is when they chose it."""

    channel: str
    label: str
    state: str
    active: int
    slots: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent who is connected, or who lost the connection with conversations on their desk
    (B2)."""

    name: str
    is_connected: bool
    changed_at: datetime | None
    on_desk: int
    assigned: int
    channels: tuple[ChannelStatus, ...]
    today: AgentToday

    @property
    def since(self) -> datetime | None:
        """Return the agent's last change of connection or availability."""
        moments = [self.changed_at, *(channel.since for channel in self.channels)]
        return max((moment for moment in moments if moment is not None), default=None)


@dataclass(frozen=True, slots=True)
class SnoozedRow:
    number: int
    visitor: str
    tint: int
    holder: str
    is_kept: bool
    until: datetime | None
    is_auto_close: bool
    may_wake: bool = True


@dataclass(frozen=True, slots=True)
class Today:
    """Figures for today, in each website's own time zone (C30).

    ``closed``: conversations last closed today. ``first_response``: of these, the median from the
    first visitor message to the first human reply (C29); ``resolution``: the median to the closure;
    ``contacts``: the average number of times a conversation reached a desk. ``csat``: the share of
    4 and 5 among today's answers, in per cent; ``nps``: the share of 9 and 10 minus the share of 0
    to 6, in points.
    """

    closed: int
    first_response: timedelta | None
    resolution: timedelta | None
    contacts: float | None
    csat: float | None
    csat_answers: int
    nps: float | None
    nps_answers: int


@dataclass(frozen=True, slots=True)
class AgentPage:
    """One page of the agents who are connected or whose connection was lost with conversations on
    their desk. Lost connections come first, then by name."""

    connected: int
    page: int
    pages: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The production report (R70-R77)."""

    websites: tuple[str, ...]
    zones: tuple[str, ...]
    totals: dict[str, int]
    queues: tuple[Queue, ...]
    agents: tuple[AgentRow, ...]
    crowd: AgentPage
    snoozed: tuple[SnoozedRow, ...]
    today: Today
    waits: Waits

    @property
    def waiting(self) -> int:
        """Return the number queued or assigned, as a queue's places count them (C16)."""
        return sum(self.totals[status] for status in WAITING)

    @property
    def more_snoozed(self) -> int:
        """Return how many snoozed conversations are not shown."""
        return max(self.totals[Status.SNOOZED] - len(self.snoozed), 0)


def board(user: User, *, at: datetime, view: View | None = None) -> Board:
    """Return the production report at ``at``, limited to what ``user`` oversees and has chosen."""
    seen = Seen.by(user, view or View())
    rows = _open(seen.conversations(), at=at)
    totals = Counter({status.value: 0 for status in Status})
    for row in rows:
        totals[row["status"]] += row["n"]
    crowd = _crowd(seen, rows, size=AGENTS_LIMIT)
    return Board(
        websites=tuple(supervision.named(seen.websites, seen.supervised)),
        zones=tuple({website.time_zone for website in seen.websites}),
        totals=dict(totals),
        queues=tuple(_queues(seen, rows)),
        agents=tuple(_agents(crowd, seen, rows, at=at)),
        crowd=crowd,
        snoozed=tuple(_snoozed(seen.conversations())),
        today=_today(seen, at=at),
        waits=waits.of(seen, total=sum(totals[status] for status in WAITING), at=at),
    )


def queues(user: User, *, at: datetime, view: View) -> list[Queue]:
    """Return only the queues of the board."""
    seen = Seen.by(user, view)
    return list(_queues(seen, _open(seen.conversations(), at=at)))


def agents(user: User, *, at: datetime, view: View) -> list[AgentRow]:
    """Return all agents of the board, without paging."""
    seen = Seen.by(user, view)
    rows = _open(seen.conversations(), at=at)
    return list(_agents(_crowd(seen, rows, size=None), seen, rows, at=at))


def _open(conversations: QuerySet[Conversation], *, at: datetime) -> list[dict[str, Any]]:
    """Count the conversations that are not closed, by state, queue, group and holder."""
    rows = (
        conversations.exclude(status=Status.CLOSED)
        .order_by()
        .values("status", "queue", "group", "group__name", "agent")
        .annotate(
            n=Count("pk"),
            returned=Count("pk", filter=Q(is_return=True)),
            silent=Count("pk", filter=address_shares.silent(at)),
            oldest_at=Min("queued_at"),
        )
    )
    return list(rows)


def _queues(seen: Seen, rows: list[dict[str, Any]]) -> Iterable[Queue]:
    waiting = [row for row in rows if row["status"] in WAITING]
    by_queue: dict[int, list[dict[str, Any]]] = defaultdict(list)
    without_queue: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in waiting:
        if row["queue"] is not None:
            by_queue[row["queue"]].append(row)
        else:
            without_queue[row["group__name"] or ""].append(row)
    steps = (
        RuleStep.objects.filter(seen.rows(website="rule__website"))
        .select_related("rule", "group")
        .order_by("rule__website", "rule", "position", "pk")
    )
    for step in steps:
        conversations = by_queue.get(step.pk, [])
        if step.rule.is_enabled or conversations:
            yield _queue(step.rule.name, step.group.name, step.places, conversations)
    for group, conversations in sorted(without_queue.items()):
        yield _queue("", group, None, conversations)


def _queue(rule: str, group: str, places: int | None, rows: list[dict[str, Any]]) -> Queue:
    return Queue(
        rule=rule,
        group=group,
        places=places,
        waiting=sum(row["n"] for row in rows),
        returned=sum(row["returned"] for row in rows),
        silent=sum(row["silent"] for row in rows),
        oldest_at=min((row["oldest_at"] for row in rows if row["oldest_at"]), default=None),
    )


def _crowd(seen: Seen, rows: list[dict[str, Any]], *, size: int | None) -> AgentPage:
    holding = {row["agent"] for row in rows if row["status"] == Status.ACTIVE}
    members = seen.rows(website="groups__website", group="groups")
    here = members & Q(presence__is_connected=True)
    agents = (
        Agent.objects.filter(here | Q(pk__in=holding), display_name__icontains=seen.view.agent)
        # Lost connections are false and come before the others; an agent without a row never had a
        # desk.
        .order_by(F("presence__is_connected").asc(nulls_first=True), "display_name", "pk")
        # An agent of several groups would come once for each.
        .distinct()
        .values_list("pk", "presence__is_connected", "display_name")
    )
    everybody = list(agents)
    size = size or max(1, len(everybody))
    # Rounded up.
    pages = max(1, -(-len(everybody) // size))
    page = min(max(seen.view.page, 1), pages)
    shown = everybody[(page - 1) * size : page * size]
    return AgentPage(
        connected=sum(bool(is_connected) for _pk, is_connected, _name in everybody),
        page=page,
        pages=pages,
        ids=tuple(pk for pk, _is_connected, _name in shown),
    )


def _agents(
    crowd: AgentPage, seen: Seen, rows: list[dict[str, Any]], *, at: datetime
) -> Iterable[AgentRow]:
    on_desk: Counter[int] = Counter()
    assigned: Counter[int] = Counter()
    for row in rows:
        if row["status"] == Status.ACTIVE:
            on_desk[row["agent"]] += row["n"]
        elif row["status"] == Status.ASSIGNED:
            assigned[row["agent"]] += row["n"]
    known = Agent.objects.select_related("presence").in_bulk(crowd.ids)
    agents = [known[pk] for pk in crowd.ids if pk in known]
    channels: dict[int, list[AgentChannel]] = defaultdict(list)
    for channel in AgentChannel.objects.filter(agent__in=agents, slots__gt=0):
        channels[channel.agent_id].append(channel)
    held = {
        (agent_id, channel): n
        for agent_id, channel, n in Contact.objects.filter(agent__in=agents, ended_at=None)
        .order_by()
        .values_list("agent_id", "channel")
        .annotate(n=Count("pk"))
    }
    today = agents_today.of(agents, seen, at=at)
    for agent in agents:
        presence = getattr(agent, "presence", None)
        yield AgentRow(
            name=agent.display_name,
            is_connected=presence is not None and presence.is_connected,
            changed_at=presence.changed_at if presence else None,
            on_desk=on_desk[agent.pk],
            assigned=assigned[agent.pk],
            channels=tuple(_statuses(channels[agent.pk], held)),
            today=today.get(agent.pk, AgentToday()),
        )


def _statuses(
    channels: list[AgentChannel], held: dict[tuple[int, str], int]
) -> Iterable[ChannelStatus]:
    order = list(Channel.values)
    for row in sorted(channels, key=lambda row: order.index(row.channel)):
        active = held.get((row.agent_id, row.channel), 0)
        state = "unavailable"
        if row.is_available:
            state = "full" if active >= row.slots else "available"
        yield ChannelStatus(
            channel=row.channel,
            label=row.get_channel_display(),
            state=state,
            active=active,
            slots=row.slots,
            since=row.available_changed_at,
        )


def _snoozed(conversations: QuerySet[Conversation]) -> Iterable[SnoozedRow]:
    rows = (
        conversations.filter(status=Status.SNOOZED)
        .select_related("visitor", "agent", "group")
        .order_by("deadline_at", "pk")[:SNOOZED_LIMIT]
    )
    for row in rows:
        holder = row.agent if row.is_kept else row.group
        yield SnoozedRow(
            number=row.pk,
            visitor=row.visitor.shown_name,
            tint=row.visitor.tint,
            holder=str(holder or ""),
            is_kept=row.is_kept,
            until=row.deadline_at,
            is_auto_close=row.is_auto_close,
        )


def _today(seen: Seen, *, at: datetime) -> Today:
    waited = ExpressionWrapper(
        F("first_human_reply_at") - F("opened_at"), output_field=DurationField()
    )
    took = ExpressionWrapper(F("closed_at") - F("opened_at"), output_field=DurationField())
    closed = Conversation.objects.filter(
        since_midnight(seen.websites, "closed_at", at), seen.chosen(), is_in_figures=True
    ).aggregate(
        n=Count("pk"),
        first_response=Median(waited, output_field=DurationField()),
        resolution=Median(took, output_field=DurationField()),
    )
    through = "conversation__"
    contacts = Contact.objects.filter(
        since_midnight(seen.websites, "conversation__closed_at", at, through=through),
        seen.chosen(website=f"{through}website", group=f"{through}group"),
    ).count()
    rated = Count("pk", filter=Q(csat__isnull=False))
    scored = Count("pk", filter=Q(nps__isnull=False))
    answers = Survey.objects.filter(
        since_midnight(seen.websites, "answered_at", at, through=through),
        seen.chosen(website=f"{through}website"),
    ).aggregate(
        csat_answers=rated,
        happy=Count("pk", filter=Q(csat__gte=4)),
        nps_answers=scored,
        promoters=Count("pk", filter=Q(nps__gte=9)),
        detractors=Count("pk", filter=Q(nps__lte=6)),
    )
    rates, scores = answers["csat_answers"], answers["nps_answers"]
    return Today(
        closed=closed["n"],
        first_response=closed["first_response"],
        resolution=closed["resolution"],
        contacts=contacts / closed["n"] if closed["n"] else None,
        csat=100 * answers["happy"] / rates if rates else None,
        csat_answers=rates,
        nps=100 * (answers["promoters"] - answers["detractors"]) / scores if scores else None,
        nps_answers=scores,
    )
