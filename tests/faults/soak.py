"""``make soak``: a quiet day in fifteen minutes. What a process holds must not grow.

250 visitors only listen, 50 write, eight agents answer. Then all of them reconnect until a thousand
sockets were opened anew, and after that strangers are refused a few thousand times. Memory, open
files and database connections are compared with those of the warm start.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests import seed
from tests.faults import report_page
from tests.faults.people import UNREACHABLE, Address, Agent, Person, Request, Visitor
from tests.faults.site import Site

IDLE, ACTIVE, AGENTS = 250, 50, 8
ARRIVE_AT_ONCE = 4
AT_ONCE = 20  # of those who reconnect
WORDS_EVERY = 5.0
RECONNECTS = 1000
REFUSALS = 3000
GROWTH = 1.10
NEW_FILES = 20  # a process opens a few more under load than it had at first
SETTLE_SECONDS = 70  # idle database connections are given back after a minute


@dataclass(frozen=True, slots=True)
class Sample:
    """What the web processes and the worker hold together, and the database's connections."""

    megabytes: float
    files: int
    connections: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="causerie-soak-") as folder:
        os.environ["SEED"] = f"{folder}/seed"
        seed.make(Path(folder) / "seed")
        site = Site(Path(folder) / "var")
        site.start()
        try:
            samples = asyncio.run(play(site, options.minutes))
        finally:
            site.stop()
    report_page.write("make soak", "".join(table(samples)))
    warm, *later = samples.values()
    return int(any(is_more(warm, sample) for sample in later))


async def play(site: Site, minutes: float) -> dict[str, Sample]:
    """Return a sample for each part of the day, the warm start first."""
    address, cookies = await asyncio.to_thread(
        site.prepare, by_line=False, agents=AGENTS, visitors=IDLE + ACTIVE
    )
    requests: list[Request] = []
    agents = [Agent(address, requests, cookie) for cookie in cookies]
    for agent in agents:
        await agent.arrive()
    visitors = [Visitor(address, requests, {}) for _ in range(IDLE + ACTIVE)]
    await _arrive(visitors)
    load = [asyncio.create_task(_write(visitor)) for visitor in visitors[:ACTIVE]]
    people: list[Person] = [*agents, *visitors]
    samples = {}
    await asyncio.sleep(min(60 * minutes / 5, 120))
    samples["warm"] = sample(site)
    await asyncio.sleep(60 * minutes - min(60 * minutes / 5, 120))
    samples[f"after {minutes:g} minutes"] = sample(site)
    await _reconnect(people)
    await asyncio.sleep(SETTLE_SECONDS)
    samples[f"after {RECONNECTS} reconnections"] = sample(site)
    await _refuse(address, requests)
    await asyncio.sleep(SETTLE_SECONDS)
    samples[f"after {REFUSALS} refused requests"] = sample(site)
    for task in load:
        task.cancel()
    for person in people:
        await person.leave()
    return samples


async def _arrive(visitors: list[Visitor]) -> None:
    gate = asyncio.Semaphore(ARRIVE_AT_ONCE)

    async def enter(visitor: Visitor) -> None:
        async with gate:
            await visitor.arrive()

    await asyncio.gather(*map(enter, visitors))


async def _write(visitor: Visitor) -> None:
    for n in itertools.count():
        await asyncio.sleep(random.expovariate(1 / WORDS_EVERY))
        await visitor.say(visitor.conversation, f"Message {n}")


async def _reconnect(people: list[Person]) -> None:
    """Drop sockets until that many were opened again."""
    for first in range(0, RECONNECTS, AT_ONCE):
        batch = [people[n % len(people)] for n in range(first, first + AT_ONCE)]
        for person in batch:
            person.tasks[0].cancel()
        # Each says goodbye to the server, for up to a second.
        await asyncio.gather(*(person.tasks[0] for person in batch), return_exceptions=True)
        for person in batch:
            person.tasks[0] = asyncio.create_task(person.listen())


async def _refuse(address: Address, requests: list[Request]) -> None:
    """Ask with a token that nobody has, and for sockets with a ticket that nobody got."""
    stranger = Person(address, requests, {"Authorization": "Bearer nobody"})
    base = f"/messenger/{address.key}"
    for n in range(REFUSALS):
        if n % 3:
            await stranger.ask("refused", f"{base}/ticket/", {})
        else:
            with suppress(*UNREACHABLE):
                await stranger.http.ws_connect(f"{address.url}/ws/messenger/?ticket=none")
    await stranger.leave()


def sample(site: Site) -> Sample:
    """Look at the processes now."""
    watched = list(processes(site))
    with site.database() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return Sample(
        megabytes=sum(one.memory_full_info().pss for one in watched) / 1e6,
        files=sum(one.num_fds() for one in watched),
        connections=int(str(row[0])),
    )


def processes(site: Site) -> Iterator[psutil.Process]:
    yield from site.product.web_processes()
    worker = site.process("worker")
    yield worker
    yield from worker.children()


def is_more(warm: Sample, later: Sample) -> bool:
    return (
        later.megabytes > warm.megabytes * GROWTH
        or later.files > warm.files + NEW_FILES
        or later.connections > warm.connections + NEW_FILES
    )


def table(samples: dict[str, Sample]) -> Iterator[str]:
    yield f"{report_page.occasion()}\n\n"
    yield "| | memory (PSS), MB | open files | database connections |\n"
    yield "| --- " * 4 + "|\n"
    for name, one in samples.items():
        yield f"| {name} | {one.megabytes:.0f} | {one.files} | {one.connections} |\n"


if __name__ == "__main__":
    sys.exit(main())
