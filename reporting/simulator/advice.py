"""The advice for a website: its measured pace, the formula, and what other places would have
changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from conversations.lifecycle.transitions import EndReason
from reporting.simulator.history import HOUR, History
from reporting.simulator.model import Shift, SimulationResult
from reporting.simulator.replay import replay
from reporting.simulator.sizing import off_peak_hours, shared

# Contacts that ended this way were not handled by the agent who lost them.
NOT_HANDLED = frozenset({EndReason.RELEASED, EndReason.UNANSWERED})


@dataclass(frozen=True, slots=True)
class Workload:
    """What a website's own history puts into the formula (R213).

    ``per_hour``: contacts that an agent ends per hour on duty. ``off_peak_hours``: hours of the day
    in which, on a working day, fewer arrive than can be handled. ``agents``: how many are on duty
    at once in these hours, or overall if there are none.
    """

    agents: float
    per_hour: float
    off_peak_hours: int
    handled: int
    duty: timedelta
    days: int


ENOUGH_HANDLED = 20
ENOUGH_DUTY = timedelta(hours=8)
ENOUGH_DAYS = 2
"""With less, a pace is chance: twenty minutes of one quiet afternoon would advise 0 places."""


def is_enough(pace: Workload | None) -> bool:
    """Return whether there is enough history for a pace: conversations, hours on duty and days."""
    return (
        pace is not None
        and pace.handled >= ENOUGH_HANDLED
        and pace.duty >= ENOUGH_DUTY
        and pace.days >= ENOUGH_DAYS
    )


def workload_of(history: History, zone: ZoneInfo) -> Workload | None:
    """Return the pace of a period; ``None`` if nothing was handled."""
    shifts = [_within(shift, history) for shift in history.team.shifts]
    duty = sum((shift.ends_at - shift.starts_at for shift in shifts), timedelta())
    handled = sum(
        history.starts_at <= spell.ended_at < history.ends_at
        and spell.end_reason not in NOT_HANDLED | {""}
        for spell in history.spells
    )
    if not handled or not duty:
        return None
    per_hour = handled / (duty / HOUR)
    manned, days = _manned(shifts, zone)
    come: Counter[int] = Counter()
    for arrival in history.arrivals:
        local = arrival.at.astimezone(zone)
        if local.date() in days:
            come[local.hour] += 1
    arrivals = [come[hour] / len(days) for hour in range(24)]
    capacity = [manned[hour] / len(days) * per_hour for hour in range(24)]
    quiet = [hour for hour in range(24) if capacity[hour] > arrivals[hour]]
    counted = quiet or [hour for hour in range(24) if manned[hour]]
    return Workload(
        agents=round(sum(manned[hour] for hour in counted) / len(days) / len(counted), 1),
        per_hour=round(per_hour, 1),
        off_peak_hours=off_peak_hours(arrivals, capacity),
        handled=handled,
        duty=duty,
        days=len(days),
    )


def _within(shift: Shift, history: History) -> Shift:
    starts_at = min(max(shift.starts_at, history.starts_at), history.ends_at)
    return replace(shift, starts_at=starts_at, ends_at=max(shift.ends_at, starts_at))


def _manned(shifts: Iterable[Shift], zone: ZoneInfo) -> tuple[dict[int, float], set[date]]:
    """Return the agent-hours by hour of the day, over all days, and the days on which anybody
    worked."""
    manned: dict[int, float] = defaultdict(float)
    days = set()
    for shift in shifts:
        moment = shift.starts_at
        while moment < shift.ends_at:
            local = moment.astimezone(zone)
            into = timedelta(
                minutes=local.minute, seconds=local.second, microseconds=local.microsecond
            )
            end = min(moment + HOUR - into, shift.ends_at)
            manned[local.hour] += (end - moment) / HOUR
            days.add(local.date())
            moment = end
    return manned, days


@dataclass(frozen=True, slots=True)
class Queue:
    """An active queue, its places today, and how many visitors came to it."""

    step_id: int
    rule_id: int
    rule: str
    group: str
    places: int
    weight: float


def weight_of(step_id: int, rule_id: int, history: History) -> float:
    """Return how many came to a queue, including those refused at its rule. Otherwise a queue that
    is too small would be advised to stay so."""
    steps = [step.step_id for step in history.rules[rule_id].steps]
    arrivals = sum(arrival.rule_id == rule_id for arrival in history.arrivals)
    entered = sum(history.entered.get(step, 0) for step in steps)
    if not entered:
        return arrivals / len(steps)
    return arrivals * history.entered.get(step_id, 0) / entered


def split(places: int, queues: Iterable[Queue]) -> dict[int, int]:
    """Split ``places`` among the active queues by how many came to each (R214)."""
    listed = list(queues)
    parts = shared(places, [queue.weight for queue in listed])
    return {queue.step_id: part for queue, part in zip(listed, parts, strict=True)}


def simulate_with(history: History, places: Mapping[int, int]) -> SimulationResult:
    """Replay history with other places; queues that are not named keep theirs."""
    rules = {
        rule_id: replace(
            rule,
            steps=tuple(
                replace(step, places=places.get(step.step_id, step.places)) for step in rule.steps
            ),
        )
        for rule_id, rule in history.rules.items()
    }
    return replay(
        history.arrivals,
        rules,
        history.team,
        until=history.ends_at,
        assignment=history.assignment,
    )
