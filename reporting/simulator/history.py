"""A website's history, read in the form that a replay needs.

Refused visitors left only hourly numbers: each such arrival is given the life of a real
conversation, in turn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from operator import attrgetter

from django.db.models import Q, QuerySet

from accounts.hours import is_open, next_change
from accounts.models import Agent, AgentChannel, Channel, Group, Website, schedule_of
from conversations.models import Contact, Conversation, StatusInterval
from reporting.simulator.model import (
    Arrival,
    Closing,
    Occupation,
    QueueSize,
    Rule,
    SimulationResult,
    Team,
)
from reporting.simulator.shifts import Spell, Status, life_of, most_at_once, shifts_of
from routing.models import HourlyDemand, RuleStep

DAYS = 28
LIMIT = 50_000
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation as it arrived."""

    conversation_id: int
    at: datetime
    rule_id: int
    step_id: int
    group_id: int
    skills: frozenset[int]
    patience: timedelta | None


@dataclass(frozen=True, slots=True)
class History:
    """A period of a website, or of some of its groups. ``entered`` counts by queue; ``estimated``
    is how many of the arrivals are estimated from pages without room; ``really`` is what happened
    to all of them."""

    starts_at: datetime
    ends_at: datetime
    arrivals: tuple[Arrival, ...]
    rules: Mapping[int, Rule]
    team: Team
    spells: tuple[Spell, ...]
    entered: Mapping[int, int]
    really: SimulationResult
    refused_messages: int
    estimated: int
    assignment: timedelta


def read(
    website: Website,
    *,
    at: datetime,
    days: int = DAYS,
    channel: Channel = Channel.CHAT,
    groups: Collection[int] | None = None,
) -> History:
    """Read the last ``days`` of a website up to ``at``, or its last 50,000 conversations. With
    ``groups``, only what came to their queues and the time of their members."""
    opened = Conversation.objects.filter(
        website=website, channel=channel, opened_at__lt=at, imported_from=""
    )
    starts_at = _start(opened, at - timedelta(days=days))
    teams = Group.objects.filter(website=website).order_by()
    if groups is not None:
        teams = teams.filter(pk__in=groups)
        opened = opened.filter(queue__group__in=groups)
    rules = _rules(teams)
    members = _members(teams)
    entries = list(_entries(opened.filter(opened_at__gt=starts_at), rules))
    agents = set[int]().union(*members.values())
    theirs = Q(conversation__website=website) if groups is None else Q(group__in=groups)
    spells = tuple(_spells(theirs | Q(agent__in=agents), channel, starts_at, at))
    agents |= {spell.agent_id for spell in spells}
    statuses = _statuses(website, groups, agents, channel, starts_at, at)
    contacts, elsewhere = _by_conversation(spells, entries, groups)
    demand = _demand(rules, starts_at, at)
    turned_away = _turned_away(demand, entries, starts_at, at)
    refused_messages = sum(row.messages_refused for row in demand)
    return History(
        starts_at=starts_at,
        ends_at=at,
        arrivals=_arrivals(entries, contacts, turned_away),
        rules=rules,
        team=_team(teams, members, spells, statuses, channel, elsewhere, (starts_at, at)),
        spells=spells,
        entered=Counter(entry.step_id for entry in entries),
        really=_really(entries, contacts, turned_away),
        refused_messages=refused_messages,
        estimated=max(len(turned_away) - refused_messages, 0),
        assignment=timedelta(hours=website.assignment_hours),
    )


def _start(opened: QuerySet[Conversation], starts_at: datetime) -> datetime:
    """Return the start of the period: ``starts_at``, or that of the last 50,000 conversations."""
    newest = opened.filter(opened_at__gte=starts_at).order_by("-opened_at")
    cut = newest.values_list("opened_at", flat=True)[LIMIT : LIMIT + 1]
    return next(iter(cut), starts_at)


def _by_conversation(
    spells: Iterable[Spell], entries: Iterable[Entry], groups: Collection[int] | None
) -> tuple[dict[int, list[Spell]], list[Spell]]:
    """Return the contacts of each conversation that is replayed, and all other contacts."""
    replayed = {entry.conversation_id for entry in entries}
    contacts: dict[int, list[Spell]] = defaultdict(list)
    elsewhere = []
    for spell in spells:
        if spell.conversation_id in replayed and (groups is None or spell.group_id in groups):
            contacts[spell.conversation_id].append(spell)
        else:
            elsewhere.append(spell)
    return contacts, elsewhere


def _turned_away(
    demand: Iterable[HourlyDemand], entries: Iterable[Entry], starts_at: datetime, at: datetime
) -> list[tuple[datetime, int]]:
    """Return when visitors found no room in the period, and at which rule."""
    engaged = Counter(entry.rule_id for entry in entries)
    return [
        (moment, rule_id)
        for moment, rule_id in refused_moments(demand, engaged)
        if starts_at <= moment < at
    ]


def _arrivals(
    entries: Iterable[Entry],
    contacts: Mapping[int, list[Spell]],
    turned_away: Iterable[tuple[datetime, int]],
) -> tuple[Arrival, ...]:
    """Return all who came, oldest first. Those who reached no desk are given the life of a real
    conversation, in turn."""
    group_of = {entry.conversation_id: entry.group_id for entry in entries}
    lives = {pk: life_of(mine, group_of[pk]) for pk, mine in sorted(contacts.items())}
    stand_ins = cycle(lives.values() or [()])
    arrivals = [
        Arrival(
            entry.at,
            entry.rule_id,
            lives.get(entry.conversation_id) or next(stand_ins),
            entry.skills,
            entry.patience,
        )
        for entry in entries
    ]
    arrivals += [Arrival(moment, rule_id, next(stand_ins)) for moment, rule_id in turned_away]
    return tuple(sorted((one for one in arrivals if one.life), key=attrgetter("at")))


def _really(
    entries: Sequence[Entry],
    contacts: Mapping[int, list[Spell]],
    turned_away: Sequence[tuple[datetime, int]],
) -> SimulationResult:
    """Return what happened to all of them."""
    return SimulationResult(
        arrived=len(entries) + len(turned_away),
        refused=len(turned_away),
        waits=tuple(sorted(mine[0].started_at - mine[0].queued_at for mine in contacts.values())),
        unserved=len(entries) - len(contacts),
    )


def _entries(opened: QuerySet[Conversation], rules: Collection[int]) -> Iterator[Entry]:
    rows = opened.filter(queue__isnull=False).order_by("opened_at", "pk")
    for pk, at, by_rule, step_id, by_queue, group, skills, patience in rows.values_list(
        "pk",
        "opened_at",
        "rule_id",
        "queue_id",
        "queue__rule_id",
        "queue__group_id",
        "required_skills",
        "skill_patience",
    ).iterator(5000):
        rule_id = by_rule if by_rule in rules else by_queue
        yield Entry(pk, at, rule_id, step_id, group, frozenset(skills), patience)


def _rules(teams: QuerySet[Group]) -> dict[int, Rule]:
    steps: dict[int, list[QueueSize]] = defaultdict(list)
    modes = {}
    rows = RuleStep.objects.filter(group__in=teams).order_by("position", "pk")
    for row in rows.select_related("rule", "group"):
        keeps_places = row.group.keeps_places_when_closed
        steps[row.rule_id].append(QueueSize(row.pk, row.group_id, row.places, keeps_places))
        modes[row.rule_id] = row.rule.mode
    return {rule_id: Rule(mode, tuple(steps[rule_id])) for rule_id, mode in modes.items()}


def _members(teams: QuerySet[Group]) -> dict[int, frozenset[int]]:
    members: dict[int, set[int]] = defaultdict(set)
    rows = Group.members.through.objects.filter(group__in=teams)
    for group_id, agent_id in rows.values_list("group_id", "agent_id"):
        members[group_id].add(agent_id)
    return {group_id: frozenset(agents) for group_id, agents in members.items()}


def _spells(wanted: Q, channel: Channel, starts_at: datetime, at: datetime) -> Iterator[Spell]:
    """Yield the teams' contacts in the period, and their agents' contacts elsewhere."""
    rows = (
        Contact.objects.filter(Q(ended_at=None) | Q(ended_at__gt=starts_at))
        .filter(wanted)
        .filter(channel=channel, started_at__lt=at)
        .order_by("conversation_id", "started_at", "pk")
        .values_list(
            "conversation_id",
            "agent_id",
            "group_id",
            "queued_at",
            "started_at",
            "ended_at",
            "end_reason",
        )
    )
    for conversation, agent, group, queued_at, started_at, ended_at, reason in rows.iterator(5000):
        ended_at = min(ended_at or at, at)
        yield Spell(conversation, agent, group, queued_at, started_at, ended_at, reason)


def _statuses(
    website: Website,
    groups: Collection[int] | None,
    agents: Collection[int],
    channel: Channel,
    starts_at: datetime,
    at: datetime,
) -> Iterator[Status]:
    """Yield the status log of these agents in the period, with ``groups`` only while they were
    members of one. Ended intervals are at most an hour long."""
    log = StatusInterval.objects.filter(
        Q(ended_at=None) | Q(started_at__gt=starts_at - HOUR),
        website=website,
        channel=channel,
        agent__in=agents,
        started_at__lt=at,
    )
    if groups is not None:
        log = log.filter(Q(groups=None) | Q(groups__overlap=list(groups)))
    rows = log.values_list("agent_id", "is_available", "started_at", "ended_at")
    for agent, is_available, started_at, ended_at in rows.iterator(5000):
        yield Status(agent, is_available, started_at, min(ended_at or at, at))


def _demand(rules: Iterable[int], starts_at: datetime, ends_at: datetime) -> list[HourlyDemand]:
    return list(
        HourlyDemand.objects.filter(
            rule__in=rules, hour__gt=starts_at - HOUR, hour__lt=ends_at
        ).order_by("rule_id", "hour")
    )


def refused_moments(
    demand: Iterable[HourlyDemand], engaged: Mapping[int, int]
) -> Iterator[tuple[datetime, int]]:
    """Yield when a visitor would have come and found no room: (moment, rule).

    Refused first messages are certain. For pages without room, the share that would have led to a
    conversation is estimated by that of pages with room, at the same rule in the same period. Both
    are spread evenly over their hour.
    """
    by_rule: dict[int, list[HourlyDemand]] = defaultdict(list)
    for row in demand:
        by_rule[row.rule_id].append(row)
    for rule_id, rows in by_rule.items():
        pages = sum(row.pages_engaged for row in rows)
        would_write = min(engaged.get(rule_id, 0) / pages, 1.0) if pages else 0.0
        owed = 0.0
        for row in rows:
            owed += row.pages_refused * would_write
            here = row.messages_refused + int(owed)
            owed -= int(owed)
            for index in range(here):
                yield row.hour + HOUR * ((index + 0.5) / here), rule_id


def closings_of(group: Group, starts_at: datetime, ends_at: datetime) -> Iterator[Closing]:
    """Yield when a group was closed in a period, by its present opening hours."""
    schedule = schedule_of(group)
    moment = starts_at
    while moment < ends_at:
        change = next_change(schedule, moment) or ends_at
        if not is_open(schedule, moment):
            yield Closing(group.pk, moment, min(change, ends_at))
        moment = change


def _team(
    teams: QuerySet[Group],
    members: Mapping[int, frozenset[int]],
    spells: Sequence[Spell],
    statuses: Iterable[Status],
    channel: Channel,
    elsewhere: Iterable[Spell],
    period: tuple[datetime, datetime],
) -> Team:
    """Build the team from today's members, skills and hours. Slots are as many as were used at
    once, at most today's number."""
    agents = set[int]().union(*members.values()) | {spell.agent_id for spell in spells}
    on_channel = AgentChannel.objects.filter(agent__in=agents, channel=channel, slots__gt=0)
    most = most_at_once(spells)
    today = dict(on_channel.values_list("agent_id", "slots"))
    slots = today | {agent: min(held, today.get(agent, held)) for agent, held in most.items()}
    skills: dict[int, set[int]] = defaultdict(set)
    known = Agent.skills.through.objects.filter(agent__in=agents)
    for agent_id, skill_id in known.values_list("agent_id", "skill_id"):
        skills[agent_id].add(skill_id)
    groups = teams.select_related("website")
    return Team(
        slots=slots,
        members=members,
        # Agents without slots, today or then, take no part.
        shifts=tuple(shift for shift in shifts_of(spells, statuses) if shift.agent_id in slots),
        occupations=tuple(
            Occupation(spell.agent_id, spell.started_at, spell.ended_at) for spell in elsewhere
        ),
        closings=tuple(
            closing
            for group in groups.prefetch_related("opening_hours", "holidays", "website__holidays")
            for closing in closings_of(group, *period)
        ),
        skills={agent_id: frozenset(found) for agent_id, found in skills.items()},
    )
