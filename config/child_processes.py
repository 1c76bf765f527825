"""The processes that the supervisor starts: each is started again when it ends, or when somebody
asks, and stopped with all others.

New code needs new processes. Those that serve the web are replaced without a gap: the new ones
serve on the same socket before the old ones drain (``config/web_servers/draining.py``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

from config import engines, settings

READY_SECONDS = 120
STOP_SECONDS = 10
STEADY_SECONDS = 60  # a process that ran longer restarts without a longer pause
LONGEST_PAUSE = 30
WEB = "web"
NOT_READY = "the new web processes did not get ready: see the lines above; the old ones go on"

Process = subprocess.Popen[bytes]


def say(text: str) -> None:
    print(f"causerie: {text}", file=sys.stderr, flush=True)


def start(name: str, command: list[str], *passed: int) -> Process:
    """Start a process. Web processes inherit the descriptors and wait until they are released."""
    return subprocess.Popen(
        engines.guarded(command),
        cwd=settings.BASE_DIR,
        env={**os.environ, "PROCESS_NAME": name},
        stdin=subprocess.PIPE if name == WEB else subprocess.DEVNULL,
        pass_fds=passed if name == WEB else [],
        start_new_session=True,  # Ctrl-C is for us alone, and the whole group can be killed
    )


def release(process: Process) -> None:
    """Let web processes begin to serve: the database is ready."""
    if process.stdin is not None and not process.stdin.closed:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(b"\n")


def kill(process: Process) -> None:
    """Kill a process with all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass(slots=True)
class ChildProcess:
    """One of them, whichever process it is at the moment."""

    name: str
    command: list[str]
    listener: int
    stopping: asyncio.Task[bool]
    process: Process | None = None
    is_restarting: bool = False
    pause: int = field(default=1, init=False)

    async def run(self) -> None:
        """Start it, unless it was started already, and again whenever it ends, until ``stopping``
        is done."""
        while not self.stopping.done():
            begun = time.monotonic()
            process = self.process or start(self.name, self.command, self.listener)
            self.process = process
            release(process)
            code = await self._end(process)
            # Otherwise a new one has been put in its place.
            if self.process is process:
                self.process = None
                await self._rest(code, time.monotonic() - begun)
        if self.process is not None:
            await self._end(self.process)

    async def _end(self, process: Process) -> int:
        """Return its exit code once it has ended, or was stopped because everything stops."""
        ended = asyncio.create_task(asyncio.to_thread(process.wait))
        await asyncio.wait({ended, self.stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=STOP_SECONDS)
        kill(process)
        return await ended

    async def _rest(self, code: int, seconds: float) -> None:
        """Wait for as long as its last end asks for."""
        if self.stopping.done():
            return
        if self.is_restarting:
            self.is_restarting, self.pause = False, 1
            return
        if seconds > STEADY_SECONDS:
            self.pause = 1
        say(f"{self.name} ended with code {code}; it starts again in {self.pause} s")
        await asyncio.wait({self.stopping}, timeout=self.pause)
        self.pause = min(2 * self.pause, LONGEST_PAUSE)

    async def restart(self) -> None:
        """End it as at a stop. ``run`` then starts it again at once."""
        process = self.process
        if process is None:
            return  # It starts again anyway.
        self.is_restarting = True
        process.terminate()
        for _tenth in range(10 * STOP_SECONDS):
            if process.poll() is not None:
                return
            await asyncio.wait({self.stopping}, timeout=0.1)
        kill(process)

    async def replace(self) -> bool:
        """Start a second one beside the first, and let the first one drain; return false, and
        change nothing, if the second one does not get ready."""
        ours, theirs = os.pipe()
        try:
            command = [*self.command, str(theirs)]
            new = start(self.name, command, self.listener, theirs)
            os.close(theirs)
            release(new)
            is_ready = await self._is_told(ours, new)
        finally:
            os.close(ours)
        if not is_ready:
            return False
        old, self.process = self.process, new
        if old is not None:
            old.send_signal(signal.SIGUSR2)
            while old.poll() is None and not self.stopping.done():
                await asyncio.wait({self.stopping}, timeout=0.1)
        return True

    async def _is_told(self, ours: int, new: Process) -> bool:
        """Return whether the new processes say in time that they serve; otherwise kill them."""
        told = asyncio.create_task(asyncio.to_thread(os.read, ours, 1))
        await asyncio.wait(
            {told, self.stopping}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        is_ready = told.done() and bool(told.result()) and not self.stopping.done()
        if not is_ready:
            kill(new)
            await asyncio.to_thread(new.wait)
        await told
        return is_ready


async def restart(children: list[ChildProcess]) -> str:
    """Run the code that is there now, without a stop: first the web processes, then the others.
    Return why nothing was restarted, or nothing."""
    say("restarting, one process after the other")
    web, *others = sorted(children, key=lambda child: child.name != WEB)
    if not await web.replace():
        say(NOT_READY)
        return NOT_READY
    for child in others:
        await child.restart()
    say("restarted")
    return ""
