"""The replay in the background: a worker computes it, and the page polls until it is ready.

A month of a busy website takes seconds to compute, which in a web process would block every socket
that it serves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.models import Website
from core.events import bus
from reporting.facts import ReplayWanted
from reporting.simulator import advice, history
from reporting.simulator.model import Summary
from routing.models import RuleStep

CACHE_SECONDS = 600
ASKED_SECONDS = 60
"""After this time without an answer, the workers are asked again."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a page shows of a replay: reality, today's places, and each requested number."""

    has_history: bool
    refused_messages: int
    estimated: int
    really: Summary
    today: int
    replays: tuple[Summary, ...]


def cached_or_requested(
    website: Website, totals: Sequence[int], *, at: datetime, groups: Collection[int] | None = None
) -> Simulation | None:
    """Return the replay up to ``at`` with each total number of places, if a worker has computed it
    in the last minutes. Otherwise request it; ``None`` until it is there. For the website, or some
    of its groups."""
    some = None if groups is None else tuple(sorted(groups))
    whose = "" if some is None else "-".join(map(str, some))
    key = f"simulation:{website.pk}:{whose}:{':'.join(map(str, totals))}"
    try:
        simulation: Simulation | None = cache.get(key)
        if simulation is not None or not cache.add(f"{key}:asked", True, ASKED_SECONDS):
            return simulation
        wanted = ReplayWanted(
            website_id=website.pk, totals=tuple(totals), key=key, at=at.isoformat(), groups=some
        )
        bus.publish(wanted)
        simulation = cache.get(key)
        return simulation
    except RedisError:
        return None  # No worker could be asked either. The page asks again.


def run(
    website_id: int,
    totals: Sequence[int],
    key: str,
    *,
    at: datetime,
    groups: Collection[int] | None = None,
) -> None:
    """Run the replay and cache the result for some minutes."""
    website = Website.objects.get(pk=website_id)
    read = history.read(website, at=at, groups=groups)
    queues = queues_of(website, read, groups)
    outcomes = [advice.simulate_with(read, {})]
    outcomes += [advice.simulate_with(read, advice.split(total, queues)) for total in totals]
    simulation = Simulation(
        has_history=bool(read.arrivals),
        refused_messages=read.refused_messages,
        estimated=read.estimated,
        really=read.really.summary,
        today=sum(queue.places for queue in queues),
        replays=tuple(outcome.summary for outcome in outcomes),
    )
    cache.set(key, simulation, CACHE_SECONDS)


def queues_of(
    website: Website, read: history.History, groups: Collection[int] | None = None
) -> list[advice.Queue]:
    """Return the active queues: those with places, of rules that are enabled (R43)."""
    steps = RuleStep.objects.filter(rule__website=website, rule__is_enabled=True, places__gt=0)
    if groups is not None:
        steps = steps.filter(group__in=groups)
    return [
        advice.Queue(
            step_id=step.pk,
            rule_id=step.rule_id,
            rule=step.rule.name,
            group=step.group.name,
            places=step.places,
            weight=advice.weight_of(step.pk, step.rule_id, read),
        )
        for step in steps.select_related("rule", "group").order_by("rule", "position", "pk")
    ]
