"""The benchmark's visitors and agents with their sockets, and the fate of every message."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from bench.client import Connection

Side = Literal["visitor", "agent"]

SETTING_UP_AT_ONCE = 4
PATIENCE = 60.0  # seconds for a step of the set-up; this machine may have other work
GREETINGS = 5
TEXT = "Bonjour, ma commande n’est pas arrivée : où en est-elle ? Merci d’avance. — n° "


@dataclass(slots=True)
class Shot:
    """One message: when it was due, when it was accepted, when the other side's socket received
    it."""

    phase: str
    side: Side
    due_at: float
    status: int = 0
    answered_at: float = 0.0
    heard_at: float = 0.0
    echoed: bool = False


@dataclass(slots=True)
class Talk:
    """One conversation: its addresses for both sides and a connection for each."""

    public_id: str
    number: int
    paths: dict[Side, str]
    lines: dict[Side, Connection]


@dataclass(slots=True)
class Faults:
    """The faults of a socket, by phase."""

    doubled: Counter[str] = field(default_factory=Counter)
    out_of_order: Counter[str] = field(default_factory=Counter)


class Scene:
    """All visitors and agents are connected, and every visitor's conversation is on a desk."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        self.host: str = scenario["host"]
        self.port: int = scenario["port"]
        self.key: str = scenario["key"]
        self.consent: str = scenario["consent"]
        self.cookies: list[str] = scenario["cookies"]
        self.visitors: int = scenario["visitors"]
        self.talks: list[Talk] = []
        self.shots: dict[str, Shot] = {}
        self.faults = Faults()
        self.cut_sockets = 0
        self._desk_of: dict[str, tuple[int, str]] = {}  # first client id -> number, agent's cookie
        self._greeted: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._ears: list[asyncio.Task[None]] = []
        self._is_over = False

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def open(self, http: aiohttp.ClientSession) -> None:
        """Connect the agents and the visitors; each conversation is pushed to a desk with a free
        slot."""
        for cookie in self.cookies:
            await self._listen(http, "agent", "/ws/desk/", cookie)
        gate = asyncio.Semaphore(SETTING_UP_AT_ONCE)

        async def enter(n: int) -> Talk:
            async with gate:
                return await self._arrive(http, n)

        async with asyncio.TaskGroup() as arriving:
            entered = [arriving.create_task(enter(n)) for n in range(self.visitors)]
        self.talks = [task.result() for task in entered]

    async def close(self) -> None:
        self._is_over = True
        for ear in self._ears:
            ear.cancel()
        await asyncio.gather(*self._ears, return_exceptions=True)
        for talk in self.talks:
            for line in talk.lines.values():
                line.close()

    async def say(self, talk: Talk, side: Side, *, phase: str, due_at: float) -> None:
        """Post one message and record its fate."""
        client_id = str(uuid.uuid4())
        shot = self.shots[client_id] = Shot(phase, side, due_at)
        body = f"{TEXT}{len(self.shots)}"
        try:
            shot.status, _answer = await talk.lines[side].post(
                talk.paths[side], {"client_id": client_id, "body": body}
            )
        except OSError:
            shot.status = -1
        shot.answered_at = time.perf_counter()

    async def stored(self, talk: Talk) -> list[dict[str, Any]]:
        """Return all messages of a conversation, as its visitor fetches them."""
        messages: list[dict[str, Any]] = []
        while True:
            after = messages[-1]["seq"] if messages else 0
            path = f"{talk.paths['visitor']}?after_seq={after}"
            _status, page = await talk.lines["visitor"].get(path)
            messages += page["messages"]
            if not page.get("more"):
                return messages

    async def _arrive(self, http: aiohttp.ClientSession, n: int) -> Talk:
        base = f"/messenger/{self.key}"
        stranger = Connection(self.host, self.port, {})
        created = await _made(
            stranger, f"{base}/visitors/", {"language": "en", "consent": self.consent}
        )
        stranger.close()
        line = Connection(self.host, self.port, {"Authorization": f"Bearer {created['token']}"})
        ticket = await _made(line, f"{base}/ticket/", {})
        await self._listen(http, "visitor", f"/ws/messenger/?ticket={ticket['ticket']}", "")
        first = {"client_id": str(uuid.uuid4()), "body": f"{TEXT}{n}"}
        begun = await _made(line, f"{base}/conversations/", first)
        public_id = begun["conversation"]["id"]
        path = f"{base}/conversations/{public_id}/messages/"
        await self._wait_until_active(line, path)
        number, cookie = await self._number_of(line, path)
        desk = Connection(self.host, self.port, {"Cookie": cookie, "Origin": self.origin})
        paths: dict[Side, str] = {"visitor": path, "agent": f"/desk/c/{number}/messages/"}
        talk = Talk(public_id, number, paths, {"visitor": line, "agent": desk})
        await self.say(talk, "agent", phase="setup", due_at=time.perf_counter())
        return talk

    async def _wait_until_active(self, line: Connection, path: str) -> None:
        give_up = time.perf_counter() + PATIENCE
        while time.perf_counter() < give_up:
            _status, page = await line.get(f"{path}?after_seq=0")
            if page["conversation"]["status"] == "active":
                return
            await asyncio.sleep(0.1)
        raise TimeoutError("a conversation was not pushed to a desk")

    async def _number_of(self, line: Connection, path: str) -> tuple[int, str]:
        """Return a conversation's number and its desk: the desk that receives a message tells."""
        for _ in range(GREETINGS):
            client_id = str(uuid.uuid4())
            await _made(line, path, {"client_id": client_id, "body": f"{TEXT}0"})
            with contextlib.suppress(TimeoutError):  # A push may be lost; then the next one tells.
                async with asyncio.timeout(PATIENCE / GREETINGS):
                    await self._greeted[client_id].wait()
                    return self._desk_of[client_id]
        raise TimeoutError("no desk hears what a visitor says")

    async def _listen(
        self, http: aiohttp.ClientSession, side: Side, path: str, cookie: str
    ) -> None:
        headers = {"Origin": self.origin} | ({"Cookie": cookie} if cookie else {})
        socket = await http.ws_connect(f"{self.origin}{path}", headers=headers, compress=0)
        ready = await socket.receive_json(timeout=PATIENCE)
        if ready != {"type": "ready"}:
            raise RuntimeError(f"a socket began with {ready}")
        self._ears.append(asyncio.create_task(self._hear(socket, side, cookie)))

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, side: Side, cookie: str) -> None:
        seqs: dict[Any, set[int]] = defaultdict(set)
        async for piece in socket:
            now = time.perf_counter()
            if piece.type != aiohttp.WSMsgType.TEXT:
                continue
            frame = json.loads(piece.data)
            if frame["type"] == "ping":
                await socket.send_str('{"type":"pong"}')
            elif frame["type"] == "message":
                self._note(frame, side, now, seqs[frame["conversation"]], cookie)
        if not self._is_over:
            self.cut_sockets += 1

    def _note(
        self, frame: dict[str, Any], side: Side, now: float, seqs: set[int], cookie: str
    ) -> None:
        message = frame["message"]
        shot = self.shots.get(message["id"])
        phase = shot.phase if shot else "setup"
        if message["seq"] in seqs:
            self.faults.doubled[phase] += 1
        elif seqs and message["seq"] < max(seqs):
            self.faults.out_of_order[phase] += 1
        seqs.add(message["seq"])
        if shot is None:
            if side == "agent":
                self._desk_of[message["id"]] = (frame["conversation"], cookie)
                self._greeted[message["id"]].set()
        elif shot.side == side:
            shot.echoed = True
        elif not shot.heard_at:
            shot.heard_at = now


async def _made(line: Connection, path: str, payload: dict[str, Any]) -> dict[str, Any]:
    status, answer = await line.post(path, payload)
    if status not in {200, 201} or not isinstance(answer, dict):
        raise RuntimeError(f"{path} answered {status}: {answer}")
    return answer
