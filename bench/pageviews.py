"""``python -m bench.pageviews``: measure what a page view of a brand's site costs
(docs/benchmarks.md).

Calls the page views' endpoint as ``embed.js`` does, on keep-alive connections: first at a steady
rate, then as fast as the responses arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import psutil

from bench import servers
from bench.client import Connection
from bench.figures import percentile
from bench.instance import ROOT, Instance, NotStarted, started

LINES = 32
PAGES = ["/", "/lamps/", "/lamps/lune/?size=2", "/cart/", "/journal/a-long-title-of-an-article/"]
SEED = 2026
HEAD = (
    "page views",
    "answered a second",
    "p50 / p99",
    "CPU web",
    "CPU PostgreSQL",
    "CPU Valkey",
    "wrong",
    "load's cores",
    "others' cores",
)
WARM_UP_SECONDS = 2.0
PREPARING_SECONDS = 120


@dataclass(slots=True)
class Heard:
    """The responses: how long each took, in seconds, and how many were wrong."""

    times: list[float] = field(default_factory=list)
    wrong: int = 0


class Brand:
    """The pages of a brand, viewed over ``LINES`` connections."""

    def __init__(self, instance: Instance, key: str) -> None:
        self.path = f"/messenger/{key}/engagement/"
        self.origin = f"http://{instance.host}"
        headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": self.origin}
        self.lines = [Connection(instance.host, instance.port, headers) for _ in range(LINES)]
        self.chance = random.Random(SEED)

    async def view(self, line: Connection, replies: Heard, due_at: float) -> None:
        payload = {
            "url": self.origin + self.chance.choice(PAGES),
            "language": "en-GB",
            "device": "desktop",
            "pages": 2,
            "seconds": 0,
            "returning": False,
            "data": {"cart.total": 80, "cart.items": 3, "tier": "gold"},
            "again": False,
        }
        status, answer = await line.post(self.path, payload)
        replies.times.append(time.perf_counter() - due_at)
        replies.wrong += status != 200 or answer["engage"] is not True

    async def steadily(self, rate: float, seconds: float) -> Heard:
        """Send page views at random moments, whether or not the server keeps up."""
        replies, start = Heard(), time.perf_counter()
        due, tasks, n = start, [], 0
        while (due := due + self.chance.expovariate(rate)) < start + seconds:
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            line = self.lines[n % LINES]
            n += 1
            tasks.append(asyncio.create_task(self.view(line, replies, due)))
        await asyncio.gather(*tasks)
        return replies

    async def flat_out(self, seconds: float) -> Heard:
        """Each connection sends its next request as soon as it has a response."""
        replies, end = Heard(), time.perf_counter() + seconds

        async def ask(line: Connection) -> None:
            while (now := time.perf_counter()) < end:
                await self.view(line, replies, now)

        await asyncio.gather(*(ask(line) for line in self.lines))
        return replies


async def play(instance: Instance, key: str, *, rate: float, seconds: float) -> list[str]:
    """Run both phases; return a row of the table for each."""
    assert instance.root is not None
    brand = Brand(instance, key)
    await brand.flat_out(WARM_UP_SECONDS)
    rows = []
    phases: dict[str, Callable[[], Awaitable[Heard]]] = {
        f"{rate:g} a second": lambda: brand.steadily(rate, seconds),
        "flat out": lambda: brand.flat_out(seconds),
    }
    for name, run in phases.items():
        before, own = servers.cpu(instance.root), sum(psutil.Process().cpu_times()[:2])
        others, began = servers.machine()[0], time.perf_counter()
        replies = await run()
        lasted = time.perf_counter() - began
        spent = {
            part: 1e3 * (after - before.get(part, 0.0)) / len(replies.times)
            for part, after in servers.cpu(instance.root).items()
        }
        web = sum(cost for part, cost in spent.items() if part.startswith("web"))
        load = sum(psutil.Process().cpu_times()[:2]) - own
        busy = servers.machine()[0] - others - load - sum(spent.values()) * len(replies.times) / 1e3
        milliseconds = [1e3 * one for one in replies.times]
        cells = [
            name,
            f"{len(replies.times) / lasted:.0f}",
            f"{percentile(milliseconds, 0.5):.1f} / {percentile(milliseconds, 0.99):.1f} ms",
            f"{web:.2f} ms",
            *(f"{spent.get(part, 0):.3f} ms" for part in ("postgres", "valkey")),
            str(replies.wrong),
            *(f"{cores / lasted:.2f}" for cores in (load, max(busy, 0))),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    for line in brand.lines:
        line.close()
    return rows


def _prepared(instance: Instance, targets: int) -> dict[str, Any]:
    asked = ["--agents", "2", "--visitors", "100", "--targets", str(targets)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.prepare", *asked],
        cwd=ROOT,
        env=instance.environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PREPARING_SECONDS,
        check=True,
    )
    prepared: dict[str, Any] = json.loads(done.stdout)
    return prepared


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pageviews", description=__doc__)
    parser.add_argument("--web", type=int, default=os.cpu_count() or 1, help="web processes")
    parser.add_argument("--rate", type=float, default=200.0, help="page views a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each phase")
    parser.add_argument("--targets", type=int, default=10, help="targeting rules")
    options = parser.parse_args(arguments)
    try:
        with started(options.web) as instance:
            key = _prepared(instance, options.targets)["key"]
            rows = asyncio.run(play(instance, key, rate=options.rate, seconds=options.seconds))
    except NotStarted as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
