"""The web processes: forked from one process that has loaded the application, and watched by it.

Loading the application takes seconds and a fork milliseconds: a process that ends is replaced at
once, and all of them share the memory of what was loaded. ``config.supervisor`` runs
``python -m config.web_processes FD`` with the listening socket, and writes a line to its stdin as
soon as the database is migrated; only then are the processes forked. A second descriptor is told
once all of them serve. On SIGUSR2 they drain one after the other, and this process ends with the
last one: another one has taken over (``config/restarts.py``).

Each process sends a sign of life every second from its event loop. One that is silent for
``SILENT_SECONDS`` (stopped, or with a blocked loop) would hold its share of the connections, and is
replaced.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import selectors
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import NoReturn

from config import settings
from config.child_processes import LONGEST_PAUSE, STEADY_SECONDS, STOP_SECONDS, say
from config.web_servers.draining import GENTLE_PATIENCE

LIFE_SECONDS = 1.0
SILENT_SECONDS = 5.0
START_SECONDS = 60.0
# After which a process that drains is killed. It gives up by itself before that.
DRAIN_SECONDS = GENTLE_PATIENCE + 5
# Before the supervisor kills this process, and the others with it.
LET_GO_SECONDS = STOP_SECONDS - 2
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # linux/prctl.h
LOADED = ("config.application", "config.urls")
REACTOR = "twisted.internet.reactor"


@dataclass(slots=True)
class WebProcess:
    """One web process, or the gap until it starts again. Moments are monotonic seconds."""

    name: str
    pid: int = 0
    signs: int = -1
    """The pipe from which its signs of life are read."""
    begun_at: float = 0.0
    heard_at: float = 0.0
    due_at: float = 0.0
    drain_until: float = 0.0
    """When it is killed if it has not ended by itself; 0 unless it drains."""
    failures: int = 0
    """How often in a row it ended before it had run for ``STEADY_SECONDS``."""

    def is_silent(self, now: float) -> bool:
        """Return whether nothing was heard for too long. Starting takes longer than a beat."""
        allowed = SILENT_SECONDS if self.heard_at > self.begun_at else START_SECONDS
        return bool(self.pid) and now - self.heard_at > allowed


@dataclass(slots=True)
class Keeper:
    """Starts the processes, replaces those that end or fall silent, and stops them."""

    listener: int
    processes: list[WebProcess]
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    ready: int = -1
    """The pipe that is told once all processes serve."""
    is_stopping: bool = False
    is_draining: bool = False
    wakeup: tuple[int, int] = field(default_factory=os.pipe)

    def run(self) -> None:
        """Keep the processes until SIGTERM, or until all have drained; return when none is left."""
        for end in self.wakeup:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self.wakeup[1])
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD):
            # Only the byte that Python writes into the pipe matters.
            signal.signal(number, lambda *_: None)
        self.selector.register(self.wakeup[0], selectors.EVENT_READ)
        looked_at = time.monotonic()
        while not self.is_stopping and self.processes:
            self._start_due()
            self._listen()
            self._announce()
            now = time.monotonic()
            if now - looked_at > 2 * LIFE_SECONDS:
                # We were stopped ourselves, with all others: nobody's silence means anything.
                self._forgive(now)
            looked_at = now
            self._reap(now)
            self._replace_silent(now)
            self._drain(now)
        self._stop()

    def _announce(self) -> None:
        """Tell whoever waits for it that all processes serve."""
        if self.ready >= 0 and all(one.heard_at > one.begun_at for one in self.processes):
            with suppress(BrokenPipeError):
                os.write(self.ready, b".")
            os.close(self.ready)
            self.ready = -1

    def _drain(self, now: float) -> None:
        """Let one process after the other drain, and forget those that have ended."""
        if not self.is_draining:
            return
        self.processes = [one for one in self.processes if one.pid]
        for process in self.processes[:1]:
            if not process.drain_until:
                process.drain_until = now + DRAIN_SECONDS
                os.kill(process.pid, signal.SIGTERM)
            elif now > process.drain_until:
                os.kill(process.pid, signal.SIGKILL)

    def _start_due(self) -> None:
        if self.is_draining:
            return
        for process in self.processes:
            if not process.pid and time.monotonic() >= process.due_at:
                self._start(process)

    def _start(self, process: WebProcess) -> None:
        process.signs, sending = os.pipe()
        process.begun_at = process.heard_at = time.monotonic()
        parent = os.getpid()
        process.pid = os.fork()
        if not process.pid:
            _become(process.name, parent, self._foreign_ends(), self.listener, sending)
        os.close(sending)
        os.set_blocking(process.signs, False)
        self.selector.register(process.signs, selectors.EVENT_READ, process)

    def _foreign_ends(self) -> list[int]:
        """Return the descriptors that are not a child's business."""
        ends = [*self.wakeup, self.ready, *(one.signs for one in self.processes)]
        return [end for end in ends if end >= 0]

    def _listen(self, seconds: float = LIFE_SECONDS) -> None:
        """Wait for signs of life and for signals."""
        for key, _events in self.selector.select(seconds):
            with suppress(BlockingIOError):
                received = os.read(key.fd, 4096)
                if key.data is None:
                    self.is_stopping |= signal.SIGTERM in received
                    self.is_draining |= signal.SIGUSR2 in received
                elif received:
                    key.data.heard_at = time.monotonic()
                else:  # It ended; its exit code comes with SIGCHLD.
                    self.selector.unregister(key.fd)

    def _forgive(self, now: float) -> None:
        for process in self.processes:
            process.heard_at = max(process.heard_at, now)

    def _reap(self, now: float) -> None:
        for process in self.processes:
            if process.pid and (code := _exit_code(process.pid)) is not None:
                pause = self._ended(process, now)
                if not self.is_draining:
                    say(f"{process.name} ended with code {code}; it starts again in {pause} s")
                elif code:
                    say(f"{process.name} ended with code {code}")

    def _ended(self, process: WebProcess, now: float) -> int:
        """Clear up after a process; return after how many seconds it starts again."""
        # What it may have started itself shares its process group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(KeyError):
            self.selector.unregister(process.signs)
        os.close(process.signs)
        if now - process.begun_at > STEADY_SECONDS:
            process.failures = 0
        # At once the first time, then after 1, 2, 4 s ...
        pause = min((1 << process.failures) // 2, LONGEST_PAUSE)
        process.failures += 1
        process.pid, process.signs, process.due_at = 0, -1, now + pause
        return pause

    def _replace_silent(self, now: float) -> None:
        for process in self.processes:
            if process.is_silent(now) and not process.drain_until:
                say(f"{process.name} gave no sign of life for {now - process.heard_at:.0f} s")
                os.kill(process.pid, signal.SIGKILL)
                process.heard_at = now  # Once is enough; its end is noticed next.

    def _stop(self) -> None:
        give_up = time.monotonic() + LET_GO_SECONDS
        running = [process for process in self.processes if process.pid]
        for process in running:
            os.kill(process.pid, signal.SIGQUIT)
        while running and time.monotonic() < give_up:
            self._listen(LIFE_SECONDS / 20)
            running = [process for process in running if _exit_code(process.pid) is None]
        for process in running:
            os.kill(process.pid, signal.SIGKILL)


def _exit_code(pid: int) -> int | None:
    """Return how a child ended, negative for a signal; ``None`` while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(name: str, parent: int, foreign: list[int], listener: int, signs: int) -> NoReturn:
    """Turn a new fork into the web process ``name``. It never returns to the keeper's loop."""
    try:
        # Inherited from the keeper: our signals would be written into its pipe.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for end in foreign:
            os.close(end)
        os.setpgid(0, 0)
        _tell_kernel(name)
        if os.getppid() != parent:
            os._exit(1)  # It died before the kernel knew that we would want to hear of it.
        os.environ["PROCESS_NAME"] = name
        serve(listener, signs)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        # Without the exit handlers, which are the keeper's.
        os._exit(1)
    os._exit(0)


def _tell_kernel(name: str) -> None:
    """Set the name that ``top`` and ``ps`` show, and ask for SIGTERM when the parent dies."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_NAME, f"causerie-{name}".encode()[:15])
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def serve(listener: int, signs: int) -> None:
    """Serve the application until a signal (``config/web_servers/draining.py``), and send a sign of
    life each second."""

    def show_life() -> None:
        # Nobody reads, and the pipe is full, while the keeper is stopped.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(signs, b".")

    os.set_blocking(signs, False)
    _server().serve(listener, show_life, LIFE_SECONDS)


def _server() -> ModuleType:
    """Return the module of the chosen server."""
    return importlib.import_module(f"config.web_servers.{settings.WEB_SERVER}_server")


def load() -> None:
    """Load what a web process needs before its first answer. Raises ``RuntimeError`` if a fork
    could not continue from here."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for module in LOADED:
        importlib.import_module(module)
    for module in _server().LOADED:  # after the application, whose parts it uses
        importlib.import_module(module)
    from django.urls import get_resolver  # not before Django is set up

    # Otherwise the first request does it.
    assert get_resolver().reverse_dict is not None
    if REACTOR in sys.modules:
        raise RuntimeError("the processes would share one event loop")
    if threading.active_count() > 1:
        raise RuntimeError(f"a fork would lose these threads: {threading.enumerate()}")


def main() -> None:
    load()
    if not sys.stdin.buffer.readline():
        return  # The supervisor has given up.
    with open(os.devnull, "rb") as nothing:
        # The forks would otherwise hold the supervisor's pipe open.
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    processes = [WebProcess(f"web.{number}") for number in range(1, settings.WEB_PROCESSES + 1)]
    # There is no second one at the first start, when the supervisor asks /readyz instead.
    listener, ready = [int(argument) for argument in (*sys.argv[1:], "-1")[:2]]
    Keeper(listener, processes, ready=ready).run()


if __name__ == "__main__":
    main()
