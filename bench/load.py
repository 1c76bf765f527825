"""The load process: reads a scenario from stdin, runs its phases, prints its observations as
JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import psutil

from bench import servers
from bench.scene import Scene, Shot, Side, Talk

QUIET = 1.5  # seconds after a phase in which messages under way may still arrive
SEED = 2026


def main() -> None:
    scenario = json.load(sys.stdin)
    print(json.dumps(asyncio.run(play(scenario))))


async def play(scenario: dict[str, Any]) -> dict[str, Any]:
    """Run the phases one after the other on one scene, then check that nothing is missing."""
    scene = Scene(scenario)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        began = time.perf_counter()
        await scene.open(http)
        _log(f"{len(scene.talks)} conversations on desks in {time.perf_counter() - began:.1f} s")
        gc.freeze()  # Objects that live until the end need not be scanned while we measure.
        phases: dict[str, Callable[[float], Awaitable[None]]] = {
            "idle": asyncio.sleep,
            "open": lambda seconds: open_loop(scene, seconds, scenario["rates"]),
            "closed": lambda seconds: _closed_loop(scene, seconds, scenario["senders"]),
        }
        measured = {}
        for name, seconds in scenario["phases"].items():
            _log(f"{name}: {seconds:g} s")
            measured[name] = await _measure(phases[name], seconds, scenario["root"])
        memory = servers.memory(scenario["root"]) if scenario["root"] else {}
        lost = await _account(scene)
        for name in measured:
            shots = [shot for shot in scene.shots.values() if shot.phase == name]
            measured[name] |= _fates(scene, name, shots) | {"lost": lost["by_phase"].get(name, 0)}
        await scene.close()
    return {
        "phases": measured,
        "conversations": len(scene.talks),
        "stored_wrong": lost["stored_wrong"],
        "cut_sockets": scene.cut_sockets,
        "memory_mb": memory,
    }


async def _measure(
    run: Callable[[float], Awaitable[None]], seconds: float, root: int | None
) -> dict[str, Any]:
    """Run one phase; return what it cost the server's parts, the load itself and other
    processes."""
    own = psutil.Process()
    before = (servers.cpu(root) if root else {}, own.cpu_times(), servers.machine())
    began = time.perf_counter()
    await run(seconds)
    lasted = time.perf_counter() - began
    await asyncio.sleep(QUIET)
    after = (servers.cpu(root) if root else {}, own.cpu_times(), servers.machine())
    cpu = {part: spent - before[0].get(part, 0.0) for part, spent in after[0].items()}
    load = after[1].user + after[1].system - before[1].user - before[1].system
    watched = time.perf_counter() - began
    worked, steal = (late - early for late, early in zip(after[2], before[2], strict=True))
    return {
        "seconds": lasted,
        "watched_seconds": watched,
        "cpu_seconds": cpu,
        "load_cpu_seconds": load,
        "other_cores": max(worked - sum(cpu.values()) - load, 0.0) / watched,
        "stolen_cores": steal / watched,
        "began": began,
        "ended": began + lasted,
    }


async def open_loop(scene: Scene, seconds: float, rates: dict[Side, float]) -> None:
    """Send messages at random moments, whether or not the server keeps up."""
    chance = random.Random(SEED)
    start = time.perf_counter()
    due: list[tuple[float, Side]] = []
    for side, rate in rates.items():
        at = chance.expovariate(rate)
        while at < seconds:
            due.append((at, side))
            at += chance.expovariate(rate)
    under_way = set()
    for at, side in sorted(due):
        await asyncio.sleep(max(start + at - time.perf_counter(), 0))
        talk = chance.choice(scene.talks)
        shot = asyncio.create_task(scene.say(talk, side, phase="open", due_at=start + at))
        under_way.add(shot)
        shot.add_done_callback(under_way.discard)
    await asyncio.sleep(max(start + seconds - time.perf_counter(), 0))
    await asyncio.gather(*under_way)


async def _closed_loop(scene: Scene, seconds: float, senders: int) -> None:
    """Each sender posts its next message when the last one is answered; two of three are
    visitors'."""
    give_up = time.perf_counter() + seconds

    async def send(talks: list[Talk]) -> None:
        sides: list[Side] = ["visitor", "visitor", "agent"]
        n = 0
        while (now := time.perf_counter()) < give_up:
            await scene.say(talks[n % len(talks)], sides[n % 3], phase="closed", due_at=now)
            n += 1

    await asyncio.gather(*(send(scene.talks[n::senders]) for n in range(senders)))


async def _account(scene: Scene) -> dict[str, Any]:
    """Fetch every conversation again. An accepted message that is missing is lost, and the numbers
    must be 1, 2, 3 ... with each id once."""
    stored_ids: set[str] = set()
    stored_wrong = 0
    for talk in scene.talks:
        messages = await scene.stored(talk)
        ids = {message["id"] for message in messages}
        numbers = [message["seq"] for message in messages]
        stored_wrong += len(ids) != len(messages) or numbers != list(range(1, len(messages) + 1))
        stored_ids |= ids
    by_phase: dict[str, int] = {}
    for client_id, shot in scene.shots.items():
        if shot.status in {200, 201} and client_id not in stored_ids:
            by_phase[shot.phase] = by_phase.get(shot.phase, 0) + 1
    return {"by_phase": by_phase, "stored_wrong": stored_wrong}


def _fates(scene: Scene, phase: str, shots: list[Shot]) -> dict[str, Any]:
    accepted = [shot for shot in shots if shot.status in {200, 201}]
    return {
        "sent": len(shots),
        "accepted": len(accepted),
        "pushes": [shot.heard_at - shot.due_at for shot in accepted if shot.heard_at],
        "posts": [shot.answered_at - shot.due_at for shot in accepted],
        "heard_ats": [shot.heard_at for shot in accepted if shot.heard_at],
        "lost_on_socket": sum(not shot.heard_at for shot in accepted),
        "lost_echoes": sum(not shot.echoed for shot in accepted),
        "doubled": scene.faults.doubled[phase],
        "out_of_order": scene.faults.out_of_order[phase],
    }


def _log(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
