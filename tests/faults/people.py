"""Visitors, agents and readers of a fault trial, in one event loop.

They behave as the Messenger and the desk do: what is not answered is sent again under the same id,
a lost socket is opened again, and what may have been missed is fetched by number.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

ANSWER_SECONDS = 20.0  # after which a request counts as unanswered
AGAIN_SECONDS = 0.4
SILENCE_SECONDS = 50.0  # as in static/shared/socket.js
SYNC_SECONDS = 5.0  # 25 in the Messenger; a trial has less time
UNREACHABLE = (OSError, aiohttp.ClientError, TimeoutError, json.JSONDecodeError)
GONE = {403, 404, 409}  # the conversation is not on this desk any more


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what it was for, and its status, 0 if nothing answered. Moments are those of
    ``time.monotonic``."""

    what: str
    asked_at: float
    answered_at: float
    status: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where the product is, and what the set-up of a trial has made in it."""

    url: str
    key: str
    consent: str


class Person:
    """Somebody with a connection, a socket, and one view for each conversation that they see."""

    def __init__(self, address: Address, requests: list[Request], headers: dict[str, str]) -> None:
        self.address = address
        self.requests = requests
        self.views: dict[str, dict[int, str]] = {}
        """By conversation: the ids of its messages by number."""
        self.accepted: set[str] = set()
        """The ids of messages that the server has accepted from this person."""
        self.faults: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.http = aiohttp.ClientSession(
            headers={"Origin": address.url} | headers,
            # A certificate of a trial is signed by nobody.
            connector=aiohttp.TCPConnector(limit=0, ssl=False),
            timeout=aiohttp.ClientTimeout(ANSWER_SECONDS),
        )

    async def socket_path(self) -> str:
        raise NotImplementedError

    def messages_path(self, conversation: str) -> str:
        raise NotImplementedError

    def heard(self, conversation: str, message: dict[str, Any]) -> None:
        """A message of either side was seen for the first time."""

    async def ask(
        self, what: str, path: str, data: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """GET, or POST ``data``; return the status, 0 if nothing answered, and the answer."""
        asked_at, status, answer = time.monotonic(), 0, {}
        with suppress(*UNREACHABLE):
            method = "GET" if data is None else "POST"
            async with self.http.request(method, self.address.url + path, json=data) as response:
                body = await response.read()
                status = response.status
                if response.content_type == "application/json" and body:
                    answer = json.loads(body)
        self.requests.append(Request(what, asked_at, time.monotonic(), status))
        return status, answer

    async def insist(self, what: str, path: str, data: dict[str, Any]) -> dict[str, Any] | None:
        """POST until it is accepted; return ``None`` if it is refused for good."""
        while True:
            status, answer = await self.ask(what, path, data)
            if status in {200, 201}:
                return answer
            if status in GONE:
                return None
            await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.5, 1.5))

    async def say(self, conversation: str, body: str) -> None:
        client_id = str(uuid.uuid4())
        data = {"client_id": client_id, "body": body}
        if await self.insist("message", self.messages_path(conversation), data) is not None:
            self.accepted.add(client_id)

    async def listen(self) -> None:
        """Keep a socket open, and open it again whenever it is lost."""
        while True:
            with suppress(*UNREACHABLE):
                path = await self.socket_path()
                async with self.http.ws_connect(
                    self.address.url + path, timeout=aiohttp.ClientWSTimeout(ws_close=1)
                ) as socket:
                    await self._receive(socket)
            await asyncio.sleep(random.uniform(0.25, 1.0))

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            piece = await socket.receive(timeout=SILENCE_SECONDS)
            if piece.type != aiohttp.WSMsgType.TEXT:
                return
            frame = json.loads(piece.data)
            if frame["type"] == "ping":
                await socket.send_json({"type": "pong"})
            elif frame["type"] == "ready":
                await self.sync_all()
            elif frame["type"] == "message":
                conversation = str(frame["conversation"])
                self.note(conversation, frame["message"])
                view = self.views[conversation]
                if len(view) < max(view):
                    await self.sync(conversation)

    def note(self, conversation: str, message: dict[str, Any]) -> None:
        view = self.views.setdefault(conversation, {})
        seq, client_id = message["seq"], message["id"]
        if seq not in view:
            view[seq] = client_id
            self.heard(conversation, message)
        elif view[seq] != client_id:
            self.faults.append(f"number {seq} of {conversation} was seen as two messages")

    async def keep_in_sync(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS * random.uniform(0.8, 1.2))
            await self.sync_all()

    async def sync_all(self) -> None:
        for conversation in list(self.views):
            await self.sync(conversation)

    async def sync(self, conversation: str) -> None:
        """Fetch what is missing after the last number without a gap before it."""
        view = self.views[conversation]
        is_complete = False
        while not is_complete:
            after = next(n for n in range(len(view) + 1) if n + 1 not in view)
            path = f"{self.messages_path(conversation)}?after_seq={after}"
            status, page = await self.ask("fetch", path)
            for message in page.get("messages", []):
                self.note(conversation, message)
            is_complete = status != 200 or not page.get("more")

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.http.close()


class Visitor(Person):
    """Has one conversation, and writes in it."""

    conversation = ""

    async def arrive(self) -> None:
        base = f"/messenger/{self.address.key}"
        consent = {"language": "en", "consent": self.address.consent}
        known = await self.insist("start", f"{base}/visitors/", consent)
        assert known is not None
        self.http.headers["Authorization"] = f"Bearer {known['token']}"
        client_id = str(uuid.uuid4())
        first = {"client_id": client_id, "body": "Good morning"}
        begun = await self.insist("start", f"{base}/conversations/", first)
        assert begun is not None, "there is no room"
        self.accepted.add(client_id)
        self.conversation = begun["conversation"]["id"]
        self.views[self.conversation] = {}
        self.tasks = [asyncio.create_task(one) for one in (self.listen(), self.keep_in_sync())]

    async def socket_path(self) -> str:
        _status, answer = await self.ask("ticket", f"/messenger/{self.address.key}/ticket/", {})
        if "ticket" not in answer:
            raise OSError("no ticket")
        return f"/ws/messenger/?ticket={answer['ticket']}"

    def messages_path(self, conversation: str) -> str:
        return f"/messenger/{self.address.key}/conversations/{conversation}/messages/"


class Agent(Person):
    """Answers about every second message of a visitor."""

    def __init__(self, address: Address, requests: list[Request], cookie: str) -> None:
        super().__init__(address, requests, {"Cookie": cookie})
        self.is_busy = True
        self.answers: set[asyncio.Task[None]] = set()

    async def arrive(self) -> None:
        self.tasks = [asyncio.create_task(one) for one in (self.listen(), self.keep_in_sync())]

    async def socket_path(self) -> str:
        return "/ws/desk/"

    def messages_path(self, conversation: str) -> str:
        return f"/desk/c/{conversation}/messages/"

    def heard(self, conversation: str, message: dict[str, Any]) -> None:
        if self.is_busy and message["author"] == "visitor" and random.random() < 0.5:
            answer = asyncio.create_task(self.say(conversation, "One moment, please."))
            self.answers.add(answer)
            answer.add_done_callback(self.answers.discard)

    async def read_pages(self, seconds: float) -> None:
        """Open the desk again and again, as somebody who reloads it."""
        while True:
            await self.ask("page", "/desk/")
            await asyncio.sleep(seconds)

    async def leave(self) -> None:
        for answer in self.answers:
            answer.cancel()
        await super().leave()
