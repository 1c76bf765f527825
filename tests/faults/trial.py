"""One trial: people at work, a fault that strikes and heals, and then the account of everything."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.matrix import Fault
from tests.faults.people import Address, Agent, Person, Request, Visitor
from tests.faults.site import Site

VISITORS = 10
WORDS_EVERY = 0.5  # seconds between two messages of a visitor, on average
NEWCOMER_EVERY = 1.5
PAGE_EVERY = 0.3
CALM_SECONDS = 45.0  # for the accounts to agree after a trial; 15 on a quiet machine
COMMAND_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds before the strike, from the strike to the healing, and after it."""

    before: float
    held: float
    after: float


@dataclass(slots=True)
class Outcome:
    """What a trial found. ``findings`` is empty if nothing was lost, doubled or left undone."""

    fault: str
    proof: str
    accepted: int
    longest_gap: float
    """Seconds without an accepted message, from the strike on (or from the healing)."""
    in_step: float
    """Seconds from the end of the load until every view equals the database."""
    failures: dict[str, int] = field(default_factory=dict)
    """Requests answered 5xx, or not at all, by status."""
    findings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


async def run(site: Site, fault: Fault, timing: Timing) -> Outcome:
    """Play one trial on a running product."""
    address, cookies = await asyncio.to_thread(site.prepare, by_line=fault.by_line)
    people: list[Person] = []
    try:
        return await _play(site, fault, timing, address, cookies, people)
    finally:
        for person in people:
            await person.leave()


async def _play(
    site: Site,
    fault: Fault,
    timing: Timing,
    address: Address,
    cookies: list[str],
    people: list[Person],
) -> Outcome:
    requests: list[Request] = []
    agents = [Agent(address, requests, cookie) for cookie in cookies]
    visitors = [Visitor(address, requests, {}) for _ in range(VISITORS)]
    people += [*agents, *visitors]
    for agent in agents:
        await agent.arrive()
    for visitor in visitors:
        await visitor.arrive()
    load = [asyncio.create_task(_talk(visitor)) for visitor in visitors]
    load.append(asyncio.create_task(_newcomers(address, requests, people)))
    load.append(asyncio.create_task(agents[0].read_pages(PAGE_EVERY)))
    await asyncio.sleep(timing.before)
    struck_at = time.monotonic()
    proof, healed_at = await asyncio.to_thread(_strike, site, fault, timing.held)
    await asyncio.sleep(timing.after)
    ended_at = time.monotonic()
    findings = await _finish(load, agents)
    in_step, differences = await _wait_until_in_step(site, people)
    findings += differences
    for person in people:
        findings += person.faults
        await person.leave()
    findings += await asyncio.to_thread(_commands, site)
    start = healed_at if fault.is_healed_first else struck_at
    hit = [one for one in requests if one.answered_at > struck_at]
    accepted = [one for one in hit if one.what == "message" and one.status in {200, 201}]
    moments = [start, *sorted(one.answered_at for one in accepted if one.answered_at > start)]
    return Outcome(
        fault=fault.name,
        proof=proof,
        accepted=sum(len(person.accepted) for person in people),
        longest_gap=max((b - a for a, b in pairwise([*moments, ended_at])), default=0.0),
        in_step=in_step,
        failures=_failures(hit),
        findings=findings,
    )


def _strike(site: Site, fault: Fault, held: float) -> tuple[str, float]:
    """Let it strike for ``held`` seconds; return the proof, and when it was healed."""
    begun = time.monotonic()
    with fault.strike(site) as proof:
        time.sleep(max(begun + held - time.monotonic(), 0))
    return proof, time.monotonic()


async def _talk(visitor: Visitor) -> None:
    n = 0
    while True:
        n += 1
        # Shielded: what was begun when the trial ends is also sent until it is accepted.
        await visitor.say(visitor.conversation, f"Message {n}")
        await asyncio.sleep(random.expovariate(1 / WORDS_EVERY))


async def _newcomers(address: Address, requests: list[Request], people: list[Person]) -> None:
    while True:
        await asyncio.sleep(NEWCOMER_EVERY)
        visitor = Visitor(address, requests, {})
        people.append(visitor)
        await visitor.arrive()


async def _finish(load: list[asyncio.Task[None]], agents: list[Agent]) -> list[str]:
    """End the load; what is under way is abandoned, and may or may not have been stored."""
    for agent in agents:
        agent.is_busy = False
    for task in load:
        task.cancel()
    ended = await asyncio.gather(*load, return_exceptions=True)
    return [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]


async def _wait_until_in_step(site: Site, people: list[Person]) -> tuple[float, list[str]]:
    begun = time.monotonic()
    while True:
        differences = _compare(await asyncio.to_thread(_stored, site), people)
        waited = time.monotonic() - begun
        if not differences or waited > CALM_SECONDS:
            return waited, differences
        await asyncio.sleep(0.5)


def _stored(site: Site) -> dict[str, tuple[str, dict[int, str]]]:
    """Return each conversation by its number and by its public id, with its messages' ids."""
    stored: dict[str, tuple[str, dict[int, str]]] = {}
    with site.database() as connection:
        for number, public_id, seq, client_id in connection.execute(
            "SELECT c.id, c.public_id::text, m.seq, m.client_id::text"
            " FROM conversations_conversation c"
            " LEFT JOIN conversations_message m ON m.conversation_id = c.id ORDER BY c.id, m.seq"
        ).fetchall():
            row = stored.setdefault(str(number), (str(public_id), {}))
            stored[str(public_id)] = row
            if seq is not None:
                row[1][int(str(seq))] = str(client_id)
    return stored


def _compare(stored: dict[str, tuple[str, dict[int, str]]], people: list[Person]) -> list[str]:
    """Return what is lost, doubled, misnumbered, or seen by one side only."""
    problems = []
    times = Counter(
        client_id
        for key, (public_id, messages) in stored.items()
        if key == public_id
        for client_id in messages.values()
    )
    for person in people:
        problems += [
            f"message {client_id} was accepted and is stored {times[client_id]} times"
            for client_id in person.accepted
            if times[client_id] != 1
        ]
        for conversation, view in person.views.items():
            messages = stored[conversation][1]
            if [*messages] != [*range(1, len(messages) + 1)]:
                problems.append(f"conversation {conversation} is numbered {[*messages]}")
            if view != messages:
                role = type(person).__name__.lower()
                problems.append(f"a {role} sees {len(view)} of {len(messages)} in {conversation}")
    return problems


def _commands(site: Site) -> list[str]:
    """Let the product check itself; return what it found."""
    give_up = time.monotonic() + CALM_SECONDS
    owed = "SELECT count(*) FROM conversations_outboxentry WHERE done_at IS NULL AND due_at < now()"
    with site.database() as connection:
        while (row := connection.execute(owed).fetchone()) and row[0]:
            if time.monotonic() > give_up:
                return [f"{row[0]} reactions are owed"]
            time.sleep(0.2)
    problems = []
    for command in ("check_invariants", "verify_ledger"):
        done = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=site.product.root,
            env=site.environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        if done.returncode:
            problems += [f"{command}: {line}" for line in done.stdout.splitlines() or [done.stderr]]
    return problems


def _failures(requests: list[Request]) -> dict[str, int]:
    counted = Counter(
        str(one.status) if one.status else "unanswered"
        for one in requests
        if one.status == 0 or one.status >= 500
    )
    return dict(sorted(counted.items()))
