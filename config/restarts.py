"""How ``manage.py restart`` talks to the supervisor: by a signal, answered by a file."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from config import settings

SIGNAL = signal.SIGUSR2
LOCK, OUTCOME = "lock", "restarted"
PROGRAM = "config.supervisor"


class NoSupervisor(Exception):
    """No supervisor runs on the data folder of this installation."""


def supervisor(folder: Path) -> psutil.Process:
    """Return the supervisor that runs on ``folder``. Raises ``NoSupervisor``."""
    with suppress(OSError, psutil.NoSuchProcess, ValueError):
        with (folder / LOCK).open() as lock:
            pid = int(lock.read())
            try:
                # A living supervisor holds the lock. The number alone may belong to another process
                # by now.
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                process = psutil.Process(pid)
                if PROGRAM in process.cmdline():
                    return process
    raise NoSupervisor


def ask(folder: Path, seconds: float) -> str | None:
    """Ask the supervisor to restart everything, and wait for the outcome: why nothing was
    restarted, or nothing; ``None`` if it has not finished in time. Raises ``NoSupervisor``."""
    process = supervisor(folder)
    before = _read(folder)
    process.send_signal(SIGNAL)
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if (outcome := _read(folder)) != before:
            return str(outcome["problem"])
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise NoSupervisor
        time.sleep(0.1)
    return None


def record(problem: str) -> None:
    """Write down how a restart has ended."""
    # With its time, because `ask` waits for a change and two restarts may end alike.
    outcome = {"at": time.time_ns(), "problem": problem}
    draft = settings.VAR / f"{OUTCOME}.draft"
    draft.write_text(json.dumps(outcome))
    # It is being read at this moment: whole or not at all.
    os.replace(draft, settings.VAR / OUTCOME)


def _read(folder: Path) -> dict[str, object]:
    try:
        outcome: dict[str, object] = json.loads((folder / OUTCOME).read_text())
    except FileNotFoundError:
        return {}
    return outcome
