"""Processes are replaced without a gap, or not at all; with small real processes."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config import child_processes
from config.child_processes import NOT_READY, ChildProcess

# As config.web_processes: released by a line, ready by a byte, ended by SIGUSR2.
SERVES = """
import os, signal, sys, time
signal.signal(signal.SIGUSR2, lambda *_: sys.exit(0))
sys.stdin.readline()
if len(sys.argv) > 1:
    os.write(int(sys.argv[1]), b".")
time.sleep(60)
"""
SLEEPS = "import time; time.sleep(60)"
# The second one, whose code is broken.
BREAKS = SERVES.replace("if len(sys.argv) > 1:\n    os.write(", "if len(sys.argv) > 1:\n    exit(")


def command(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def listener() -> Iterator[int]:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@asynccontextmanager
async def running(*children: tuple[str, str], listener: int) -> AsyncIterator[list[ChildProcess]]:
    stop = asyncio.Event()
    stopping = asyncio.create_task(stop.wait())
    made = [ChildProcess(name, command(code), listener, stopping) for name, code in children]
    tasks = [asyncio.create_task(child.run()) for child in made]
    await asyncio.sleep(1)
    yield made
    stop.set()
    await asyncio.gather(*tasks)
    assert [child for child in made if child.process and child.process.poll() is None] == []


def pids(children: list[ChildProcess]) -> list[int]:
    return [child.process.pid for child in children if child.process]


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_old_web_processes_end_once_the_new_ones_serve(listener: int) -> None:
    async def play() -> None:
        async with running(("web", SERVES), listener=listener) as children:
            (old,) = pids(children)
            assert await child_processes.restart(children) == ""
            await asyncio.sleep(0.2)
            (new,) = pids(children)
            assert new != old
            assert is_alive(new)
            assert not is_alive(old)

    asyncio.run(play())


def test_nothing_changes_if_the_new_web_processes_do_not_get_ready(listener: int) -> None:
    async def play() -> None:
        both = (("web", BREAKS), ("worker", SLEEPS))
        async with running(*both, listener=listener) as children:
            before = pids(children)
            assert await child_processes.restart(children) == NOT_READY
            assert pids(children) == before
            assert all(map(is_alive, before))

    asyncio.run(play())


def test_the_new_web_processes_may_not_take_for_ever(
    listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_processes, "READY_SECONDS", 1)
    hangs = SERVES.replace("os.write(", "time.sleep(60), (")

    async def play() -> None:
        async with running(("web", hangs), listener=listener) as children:
            before = pids(children)
            assert await child_processes.restart(children) == NOT_READY
            assert pids(children) == before

    asyncio.run(play())


def test_the_other_processes_start_again_at_once(
    listener: int, capfd: pytest.CaptureFixture[str]
) -> None:
    async def play() -> None:
        both = (("worker", SLEEPS), ("web", SERVES))
        async with running(*both, listener=listener) as children:
            before = pids(children)
            assert await child_processes.restart(children) == ""
            await asyncio.sleep(0.5)
            after = pids(children)
            assert len(after) == 2
            assert not set(before) & set(after)
            assert all(map(is_alive, after))

    asyncio.run(play())
    # That is no fault of theirs.
    assert "ended with code" not in capfd.readouterr().err


def test_a_process_that_ends_by_itself_starts_again(
    listener: int, capfd: pytest.CaptureFixture[str]
) -> None:
    async def play() -> None:
        async with running(("beat", "raise SystemExit(3)"), listener=listener):
            await asyncio.sleep(0.5)

    asyncio.run(play())
    assert "beat ended with code 3; it starts again in 1 s" in capfd.readouterr().err


def test_a_stop_ends_old_and_new(listener: int) -> None:
    """Also while the old processes take their time to drain."""
    drains = SERVES.replace("lambda *_: sys.exit(0)", "lambda *_: None")

    async def play() -> list[int]:
        async with running(("web", drains), listener=listener) as children:
            (old,) = pids(children)
            restarting = asyncio.create_task(child_processes.restart(children))
            give_up = time.monotonic() + 20
            while pids(children) == [old]:
                assert time.monotonic() < give_up
                await asyncio.sleep(0.1)
            (new,) = pids(children)
            assert is_alive(old)
        await restarting
        return [old, new]

    assert [pid for pid in asyncio.run(play()) if is_alive(pid)] == []
