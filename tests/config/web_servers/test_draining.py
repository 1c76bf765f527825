"""A web process that is asked to end answers what was asked, and sends its sockets elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from config.web_servers.draining import GENTLE_SECONDS, PROMPT_PATIENCE
from core.realtime.channel_health import SERVICE_RESTART
from tests.config.test_settings import free_port

SOCKETS = 12
SLACK_SECONDS = 15.0  # a busy machine


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    goodbyes: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def refuses(self) -> None:
        """Wait until a stranger is refused: connections that wait are closed soon after."""
        for _try in range(100):
            async with aiohttp.ClientSession() as stranger:
                try:
                    async with stranger.get(self.url("/0")):
                        await asyncio.sleep(0.05)
                except aiohttp.ClientConnectorError:
                    return
        raise AssertionError("new connections are still accepted")

    async def end(self) -> int:
        return await asyncio.to_thread(self.process.wait, SLACK_SECONDS)


@pytest.fixture(params=["daphne", "uvicorn"])
def server(root: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    port, goodbyes = free_port(), tmp_path / "goodbyes"
    module = "tests.config.web_servers.slow_app"
    arguments = {
        "daphne": ["daphne", "-v", "0", "-p", str(port), f"{module}:application"],
        "uvicorn": [module, str(port)],
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments[request.param]],
        cwd=root,
        env={**os.environ, "ENV_FILE": os.devnull, "GOODBYES": str(goodbyes)},
    )
    one = Server(process, port, goodbyes)
    asyncio.run(_until_it_listens(one))
    yield one
    process.kill()
    process.wait()


async def _until_it_listens(server: Server) -> None:
    async with aiohttp.ClientSession() as http:
        for _try in range(600):
            try:
                async with http.get(server.url("/0")):
                    return
            except aiohttp.ClientConnectionError:
                assert server.process.poll() is None
                await asyncio.sleep(0.1)
    raise AssertionError("it never listens")


async def is_cut(asking: asyncio.Task[aiohttp.ClientResponse]) -> bool:
    """Return whether a request got no answer, or only that of the server."""
    try:
        return (await asking).status == 500
    except aiohttp.ClientError:
        return True


def test_a_request_under_way_is_answered(server: Server) -> None:
    async def play() -> tuple[int, str, int]:
        async with aiohttp.ClientSession() as http:
            asking = asyncio.create_task(http.get(server.url("/2")))
            await asyncio.sleep(0.5)
            server.process.terminate()
            answer = await asking
            return answer.status, answer.headers["Connection"], await server.end()

    assert asyncio.run(play()) == (200, "close", 0)


def test_new_connections_are_refused_and_open_ones_answered_once_more(server: Server) -> None:
    async def play() -> tuple[str, int]:
        async with aiohttp.ClientSession() as http:
            async with http.get(server.url("/0")) as answer:
                await answer.read()
            # The answer may be here before the server takes the connection for idle.
            await asyncio.sleep(0.5)
            server.process.terminate()
            await server.refuses()
            async with http.get(server.url("/0")) as answer:
                assert answer.status == 200
            return answer.headers["Connection"], await server.end()

    assert asyncio.run(play()) == ("close", 0)


def test_sockets_are_told_to_come_back_but_not_all_at_once(server: Server) -> None:
    async def closed_after(socket: aiohttp.ClientWebSocketResponse, begun: float) -> float:
        await socket.receive()
        assert socket.close_code == SERVICE_RESTART
        return time.monotonic() - begun

    async def play() -> list[float]:
        async with aiohttp.ClientSession() as http:
            sockets = [await http.ws_connect(server.url("/ws")) for _n in range(SOCKETS)]
            server.process.terminate()
            begun = time.monotonic()
            moments = await asyncio.gather(*(closed_after(one, begun) for one in sockets))
            assert await server.end() == 0
            return moments

    moments = asyncio.run(play())
    assert max(moments) - min(moments) > GENTLE_SECONDS / 4
    assert max(moments) < GENTLE_SECONDS + SLACK_SECONDS
    # Their consumers have finished.
    assert server.goodbyes.read_text().count("bye") == SOCKETS


def test_a_stop_of_the_whole_waits_for_nobody_who_only_listens(server: Server) -> None:
    async def play() -> float:
        async with aiohttp.ClientSession() as http:
            socket = await http.ws_connect(server.url("/ws"))
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"done")
            begun = time.monotonic()
            server.process.send_signal(signal.SIGQUIT)
            await asyncio.gather(socket.receive(), reader.read())
            waited = time.monotonic() - begun
            writer.close()
            assert socket.close_code == SERVICE_RESTART
            assert await server.end() == 0
            return waited

    assert asyncio.run(play()) < GENTLE_SECONDS - 0.5


def test_what_does_not_end_is_cut_off(server: Server) -> None:
    async def play() -> float:
        async with aiohttp.ClientSession() as http:
            asking = asyncio.create_task(http.get(server.url("/60")))
            await asyncio.sleep(0.5)
            begun = time.monotonic()
            server.process.send_signal(signal.SIGQUIT)
            assert await is_cut(asking)
            assert await server.end() == 0
            return time.monotonic() - begun

    assert PROMPT_PATIENCE <= asyncio.run(play()) < PROMPT_PATIENCE + SLACK_SECONDS


def test_a_stop_shortens_a_gentle_end(server: Server) -> None:
    async def play() -> None:
        async with aiohttp.ClientSession() as http:
            asking = asyncio.create_task(http.get(server.url("/60")))
            await asyncio.sleep(0.5)
            server.process.terminate()
            server.process.send_signal(signal.SIGQUIT)
            assert await is_cut(asking)
            assert await server.end() == 0

    asyncio.run(play())
