"""What each agent did today, for the board, by each website's own day (C30, R77)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Agent, Website
from conversations.models import Contact, StatusInterval, Survey
from reporting.board.scope import Seen
from reporting.figures.period import midnight
from reporting.figures.sources import of_groups


class Median(Aggregate):
    """PostgreSQL's exact median."""

    template = "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True, slots=True)
class AgentToday:
    """What an agent did today: contacts that ended, the median of their durations, time available,
    and the share of ratings of 4 and 5 for this agent, in per cent (R77)."""

    contacts: int = 0
    handle_time: timedelta | None = None
    available: timedelta = timedelta()
    csat: float | None = None


def since_midnight(websites: list[Website], field: str, at: datetime, *, through: str = "") -> Q:
    """Match rows whose ``field`` is today, in the time zone of the row's own website."""
    # Without a website nothing is today; an empty Q would match everything.
    today = Q(pk__in=[])
    for website in websites:
        began = midnight(at.astimezone(website.zone).date(), website.clock)
        today |= Q(**{f"{through}website": website.pk, f"{field}__gte": began})
    return today


def of(agents: list[Agent], seen: Seen, *, at: datetime) -> dict[int, AgentToday]:
    """Return what these agents did today, limited to what the reader oversees. Runs three
    statements, however many agents there are."""
    websites = seen.websites
    by_agent = defaultdict[int, AgentToday](AgentToday)
    length = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    through = "conversation__"
    theirs = seen.overseen(website=f"{through}website")
    contacts = Contact.objects.filter(
        since_midnight(websites, "ended_at", at, through=through), theirs
    )
    for agent_id, n, median in (
        contacts.filter(agent__in=agents)
        .order_by()
        .values_list("agent")
        .annotate(n=Count("pk"), median=Median(length, output_field=DurationField()))
    ):
        by_agent[agent_id] = replace(by_agent[agent_id], contacts=n, handle_time=median)
    until = ExpressionWrapper(
        Coalesce(F("ended_at"), Value(at)) - F("started_at"), output_field=DurationField()
    )
    members = seen.supervised.within([website.pk for website in websites], of_groups)
    spans = StatusInterval.objects.filter(since_midnight(websites, "started_at", at), members)
    for agent_id, available in (
        spans.filter(agent__in=agents, is_available=True)
        .order_by()
        .values_list("agent")
        .annotate(available=Sum(until))
    ):
        by_agent[agent_id] = replace(by_agent[agent_id], available=available)
    answers = Survey.objects.filter(
        since_midnight(websites, "answered_at", at, through=through), theirs
    )
    for agent_id, rated, happy in (
        answers.filter(agent__in=agents, csat__isnull=False)
        .order_by()
        .values_list("agent")
        .annotate(rated=Count("pk"), happy=Count("pk", filter=Q(csat__gte=4)))
    ):
        by_agent[agent_id] = replace(by_agent[agent_id], csat=100 * happy / rated)
    return by_agent
