"""``python -m bench.starts``: conversations started a second, from consent to an agent's desk.

Each visitor gives consent, opens a socket and writes, by the public entry points alone, and is done
when the socket says that the conversation has moved: it is on a desk then. Two phases: at random
moments (``--rate`` a second), and as fast as ``--starters`` visitors one after the other can.
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
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench import servers
from bench.client import Connection
from bench.figures import percentile
from bench.instance import Instance, started

AGENTS = 50
SLOTS = 100  # for each agent: more than a run fills
PATIENCE = 30.0
SEED = 2026
PROMISES = {
    "closed: started a second": (">=", 150.0),
    "closed: CPU for each, ms": ("<=", 12.0),
    "open: p99, ms": ("<=", 150.0),
}


@dataclass(slots=True)
class Phase:
    """Seconds from consent to the answer with the conversation, and to the desk; and failures."""

    answered: list[float] = field(default_factory=list)
    on_desk: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.starts", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each phase")
    parser.add_argument("--rate", type=float, default=50.0, help="visitors a second, open phase")
    parser.add_argument("--starters", type=int, default=16, help="visitors at once, closed phase")
    parser.add_argument("--web", type=int, default=2, help="web processes")
    options = parser.parse_args()
    with started(options.web) as instance:
        measured = asyncio.run(measure(instance, _prepared(instance), options))
    print(json.dumps(measured, indent=2))
    missed = 0
    for name, (sign, promise) in PROMISES.items():
        value = measured[name]
        is_met = value >= promise if sign == ">=" else value <= promise
        missed += not is_met
        print(f"{'met   ' if is_met else 'MISSED'} {name} {sign} {promise:g}: {value:g}")
    return 1 if missed else 0


def _prepared(instance: Instance) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.prepare", "--agents", str(AGENTS)]
    command += ["--visitors", str(AGENTS * SLOTS)]
    done = subprocess.run(
        command, env=os.environ | instance.environment, stdout=subprocess.PIPE, check=True
    )
    prepared: dict[str, Any] = json.loads(done.stdout)
    return prepared


async def measure(
    instance: Instance, prepared: dict[str, Any], options: argparse.Namespace
) -> dict[str, Any]:
    """Run both phases; return their figures, times in milliseconds."""
    visitors = Visitors(instance, prepared)
    figures: dict[str, Any] = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        desks = [await visitors.connect_agent(http, cookie) for cookie in prepared["cookies"]]
        await _run(http, visitors, options.starters, 2.0)  # warm
        for name, run in {
            "open": lambda: _at_random(http, visitors, options.rate, options.seconds),
            "closed": lambda: _run(http, visitors, options.starters, options.seconds),
        }.items():
            figures |= await _figures(name, run, instance)
        for desk in desks:
            desk.cancel()
    return figures


async def _figures(
    name: str, run: Callable[[], Awaitable[Phase]], instance: Instance
) -> dict[str, Any]:
    assert instance.root is not None
    before, machine, began = servers.cpu(instance.root), servers.machine(), time.perf_counter()
    phase = await run()
    seconds = time.perf_counter() - began
    after, later = servers.cpu(instance.root), servers.machine()
    spent = {part: cpu - before.get(part, 0.0) for part, cpu in after.items()}
    count = max(len(phase.on_desk), 1)
    return {
        f"{name}: started a second": round(len(phase.on_desk) / seconds, 1),
        f"{name}: answer p50, ms": _ms(phase.answered, 0.5),
        f"{name}: p50, ms": _ms(phase.on_desk, 0.5),
        f"{name}: p99, ms": _ms(phase.on_desk, 0.99),
        f"{name}: CPU for each, ms": round(1000 * sum(spent.values()) / count, 1),
        f"{name}: CPU by part, ms": {
            part: round(1000 * cpu / count, 1) for part, cpu in spent.items() if cpu
        },
        f"{name}: cores busy": round((later[0] - machine[0]) / seconds, 2),
        f"{name}: faults": dict(phase.faults),
    }


def _ms(values: list[float], share: float) -> float:
    return round(1000 * percentile(values, share), 1) if values else float("nan")


async def _run(
    http: aiohttp.ClientSession, visitors: Visitors, starters: int, seconds: float
) -> Phase:
    phase, give_up = Phase(), time.perf_counter() + seconds

    async def starter() -> None:
        while time.perf_counter() < give_up:
            await visitors.start(http, phase)

    await asyncio.gather(*(starter() for _ in range(starters)))
    return phase


async def _at_random(
    http: aiohttp.ClientSession, visitors: Visitors, rate: float, seconds: float
) -> Phase:
    phase, chance, begun = Phase(), random.Random(SEED), []
    start, at = time.perf_counter(), 0.0
    while (at := at + chance.expovariate(rate)) < seconds:
        await asyncio.sleep(max(start + at - time.perf_counter(), 0))
        begun.append(asyncio.create_task(visitors.start(http, phase)))
    await asyncio.gather(*begun)
    return phase


class Visitors:
    """Those of one website, who come, write, and leave as soon as an agent has them."""

    def __init__(self, instance: Instance, prepared: dict[str, Any]) -> None:
        self._host, self._port = instance.host, instance.port
        self._origin = f"http://{instance.host}:{instance.port}"
        self._base = f"/messenger/{prepared['key']}"
        self._consent = {"language": "en", "consent": prepared["consent"]}

    async def connect_agent(self, http: aiohttp.ClientSession, cookie: str) -> asyncio.Task[None]:
        desk = await self._connect(http, "/ws/desk/", {"Cookie": cookie})
        return asyncio.create_task(_answer_pings(desk))

    async def start(self, http: aiohttp.ClientSession, phase: Phase) -> None:
        """Start one conversation, and note how long it took or what went wrong."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._start(http, phase, began)
        except (TimeoutError, OSError, RuntimeError, aiohttp.ClientError) as fault:
            phase.faults[f"{type(fault).__name__}: {fault}"[:80]] += 1

    async def _start(self, http: aiohttp.ClientSession, phase: Phase, began: float) -> None:
        stranger = Connection(self._host, self._port, {})
        created = await _made(stranger, f"{self._base}/visitors/", self._consent)
        stranger.close()
        token = {"Authorization": f"Bearer {created['token']}"}
        line = Connection(self._host, self._port, token)
        ticket = created.get("ticket")
        if ticket is None:  # of a version that issues it by itself
            ticket = (await _made(line, f"{self._base}/ticket/", {}))["ticket"]
        socket = await self._connect(http, f"/ws/messenger/?ticket={ticket}", {})
        first = {"client_id": str(uuid.uuid4()), "body": "Bonjour, où est ma commande ?"}
        await _made(line, f"{self._base}/conversations/", first)
        phase.answered.append(time.perf_counter() - began)
        while True:
            frame = await socket.receive_json()
            if frame["type"] == "state":
                break
        phase.on_desk.append(time.perf_counter() - began)
        await socket.close()
        line.close()

    async def _connect(
        self, http: aiohttp.ClientSession, path: str, headers: dict[str, str]
    ) -> aiohttp.ClientWebSocketResponse:
        headers = headers | {"Origin": self._origin}
        socket = await http.ws_connect(f"{self._origin}{path}", headers=headers, compress=0)
        ready = await socket.receive_json(timeout=PATIENCE)
        if ready != {"type": "ready"}:
            raise RuntimeError(f"a socket began with {ready}")
        return socket


async def _answer_pings(desk: aiohttp.ClientWebSocketResponse) -> None:
    async for frame in desk:
        if frame.type == aiohttp.WSMsgType.TEXT and json.loads(frame.data)["type"] == "ping":
            await desk.send_str('{"type":"pong"}')


async def _made(line: Connection, path: str, payload: dict[str, Any]) -> dict[str, Any]:
    status, answer = await line.post(path, payload)
    if status not in {200, 201} or not isinstance(answer, dict):
        raise RuntimeError(f"{path.rsplit('/', 2)[-2]} answered {status}")
    return answer


if __name__ == "__main__":
    sys.exit(main())
