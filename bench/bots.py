"""Measure bots beside people: ``python -m bench.bots``.

People write on one website, and 200 visitors answer a bot on another, on an installation with one
Celery worker, as it comes. The first phase has people only, the second one both. The bot's answer
is timed from the visitor's POST to the frame at the visitor's socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.client import Connection
from bench.figures import percentile
from bench.instance import ROOT, Instance, started
from bench.load import open_loop
from bench.scene import Scene, Side

PAUSES = (2.0, 6.0)  # seconds in which a visitor reads and writes
PEOPLE, AGENTS = 40, 4
RATES: dict[Side, float] = {"visitor": 10.0, "agent": 5.0}
LIMIT_MS = 300
ARRIVALS = 8  # visitors of the bot who arrive at once
PATIENCE = 60.0
SCENARIO = {
    "format": 1,
    "start": "greet",
    "steps": [
        {"id": "greet", "kind": "say", "text": {"en": "Hello, {what}."}, "next": "ask"},
        {
            "id": "ask",
            "kind": "ask",
            "answer": "text",
            "name": "what",
            "text": {"en": "What else would you like to know about {what}?"},
            "next": "tell",
            "failed": "people",
        },
        {
            "id": "tell",
            "kind": "condition",
            "branches": [
                {
                    "source": "answer",
                    "name": "what",
                    "operator": "contains",
                    "value": "person",
                    "next": "people",
                }
            ],
            "otherwise": "ask",
        },
        {"id": "people", "kind": "escalate"},
    ],
}


@dataclass(slots=True)
class BotTalk:
    """A visitor with a bot: when they last wrote, and how long each answer took."""

    line: Connection
    path: str
    wrote_at: float = 0.0
    is_answered: asyncio.Event = field(default_factory=asyncio.Event)
    took: list[float] = field(default_factory=list)
    ear: asyncio.Task[None] | None = None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bots", description=__doc__)
    parser.add_argument("--bots", type=int, default=200, help="conversations with the bot")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each phase")
    parser.add_argument("--web", type=int, default=2, help="web processes")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.prepare:
        print(json.dumps(prepare()))
        return 0
    with started(options.web) as instance:
        prepared = subprocess.run(
            [sys.executable, "-m", "bench.bots", "--prepare"],
            cwd=ROOT,
            env=instance.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return asyncio.run(play(instance, json.loads(prepared.stdout), options))


def prepare() -> dict[str, Any]:
    """Create a website for people and another one whose rule begins with a bot."""
    from bench import prepare as scenes

    people = scenes.prepare(agents=AGENTS, visitors=PEOPLE)
    bots = scenes.prepare(agents=1, visitors=1)
    from django.utils import timezone

    from routing.models import Bot, BotVersion, DistributionRule

    rule = DistributionRule.objects.get(website__key=bots["key"])
    bot = Bot.objects.create(website=rule.website, name="Bench")
    bot.published = BotVersion.objects.create(
        bot=bot, number=1, scenario=SCENARIO, published_at=timezone.now()
    )
    bot.save()
    rule.bot = bot
    rule.save()
    return {"people": people, "bots": bots}


async def play(instance: Instance, prepared: dict[str, Any], options: argparse.Namespace) -> int:
    where = {"host": instance.host, "port": instance.port}
    scene = Scene(prepared["people"] | where | {"visitors": PEOPLE})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await scene.open(http)
        await open_loop(scene, options.seconds, dict(RATES))
        alone = _pushes(scene, since=0)
        gate = asyncio.Semaphore(ARRIVALS)
        known = len(scene.shots)

        async def arrive() -> BotTalk:
            async with gate:
                return await _arrive(http, scene.origin, where, prepared["bots"])

        talks = await asyncio.gather(*(arrive() for _n in range(options.bots)))
        give_up = time.perf_counter() + options.seconds
        answering = [asyncio.create_task(_converse(talk, give_up)) for talk in talks]
        await open_loop(scene, options.seconds, dict(RATES))
        unanswered = sum(await asyncio.gather(*answering))
        beside = _pushes(scene, since=known)
        await scene.close()
        for talk in talks:
            talk.line.close()
            if talk.ear is not None:
                talk.ear.cancel()
    took = [1000 * seconds for talk in talks for seconds in talk.took]
    return _judge(options.bots, took, unanswered, alone, beside)


async def _arrive(
    http: aiohttp.ClientSession, origin: str, where: dict[str, Any], site: dict[str, Any]
) -> BotTalk:
    """Let a visitor begin a conversation with the bot; its first words are part of the answer."""
    base = f"/messenger/{site['key']}"
    stranger = Connection(where["host"], where["port"], {})
    consent = {"language": "en", "consent": site["consent"]}
    _status, created = await stranger.post(f"{base}/visitors/", consent)
    stranger.close()
    token = {"Authorization": f"Bearer {created['token']}"}
    line = Connection(where["host"], where["port"], token)
    _status, ticket = await line.post(f"{base}/ticket/", {})
    address = f"{origin}/ws/messenger/?ticket={ticket['ticket']}"
    socket = await http.ws_connect(address, headers={"Origin": origin}, compress=0)
    first = {"client_id": str(uuid.uuid4()), "body": "Good morning"}
    _status, begun = await line.post(f"{base}/conversations/", first)
    talk = BotTalk(line, f"{base}/conversations/{begun['conversation']['id']}/messages/")
    talk.ear = asyncio.create_task(_hear(socket, talk))
    return talk


async def _hear(socket: aiohttp.ClientWebSocketResponse, talk: BotTalk) -> None:
    async for piece in socket:
        if piece.type != aiohttp.WSMsgType.TEXT:
            continue
        frame = json.loads(piece.data)
        if frame["type"] == "ping":
            await socket.send_str('{"type":"pong"}')
        elif frame["type"] == "message" and frame["message"]["author"] == "bot":
            if talk.wrote_at and not talk.is_answered.is_set():
                talk.took.append(time.perf_counter() - talk.wrote_at)
            talk.is_answered.set()


async def _converse(talk: BotTalk, give_up: float) -> int:
    """Answer the bot until the time is over; return how many messages it left unanswered."""
    chance = random.Random(talk.path)
    unanswered = 0
    await asyncio.sleep(chance.uniform(0, PAUSES[1]))  # They have not arrived in step.
    while time.perf_counter() < give_up:
        talk.is_answered.clear()
        talk.wrote_at = time.perf_counter()
        message = {"client_id": str(uuid.uuid4()), "body": f"My lamp {chance.randrange(1000)}"}
        await talk.line.post(talk.path, message)
        try:
            async with asyncio.timeout(PATIENCE):
                await talk.is_answered.wait()
        except TimeoutError:
            unanswered += 1
        await asyncio.sleep(chance.uniform(*PAUSES))
    return unanswered


def _pushes(scene: Scene, *, since: int) -> list[float]:
    """Return how long people's messages took to the other side's screen, in milliseconds."""
    shots = [shot for shot in list(scene.shots.values())[since:] if shot.phase == "open"]
    return [1000 * (shot.heard_at - shot.due_at) for shot in shots if shot.heard_at]


def _judge(
    bots: int, took: list[float], unanswered: int, alone: list[float], beside: list[float]
) -> int:
    print(f"{bots} conversations with a bot, {os.cpu_count()} cores")
    p99 = percentile(took, 0.99)
    print(
        f"the bot's answer: {len(took)} answers, median {statistics.median(took):.0f} ms,"
        f" p99 {p99:.0f} ms (at most {LIMIT_MS}), unanswered {unanswered}"
    )
    for name, pushes in (("without bots", alone), ("beside bots", beside)):
        print(
            f"people's messages {name}: {len(pushes)}, median {statistics.median(pushes):.0f} ms,"
            f" p99 {percentile(pushes, 0.99):.0f} ms"
        )
    return 0 if p99 <= LIMIT_MS and not unanswered else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
