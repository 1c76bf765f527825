"""``manage.py restart`` finds the supervisor of this data folder, and nobody else.

That a restart restarts everything is proved by ``tests/faults``.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from config import engines, restarts, settings
from config.restarts import NoSupervisor

HOLDS = """
import fcntl, os, signal, sys, time
exec(sys.argv[2])
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(str(os.getpid()))
lock.flush()
time.sleep(60)
"""
ANSWERS = (
    "from config import restarts; "
    "signal.signal(restarts.SIGNAL, lambda *_: restarts.record('broken'))"
)
IGNORES = "signal.signal(signal.SIGUSR2, signal.SIG_IGN)"


@contextmanager
def holder(folder: Path, *words: str, prelude: str = "pass") -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that holds the lock, as the supervisor does, with these words in its
    command."""
    lock = folder / restarts.LOCK
    command = [sys.executable, "-c", HOLDS, str(lock), prelude, *words]
    with subprocess.Popen(command, env={**os.environ, "VAR": str(folder)}) as process:
        give_up = time.monotonic() + 20
        while not (lock.exists() and lock.read_text()):
            assert time.monotonic() < give_up
            time.sleep(0.05)
        yield process
        process.kill()


def test_a_running_supervisor_is_found(tmp_path: Path) -> None:
    with holder(tmp_path, restarts.PROGRAM) as process:
        assert restarts.supervisor(tmp_path) == psutil.Process(process.pid)


def test_another_program_that_uses_the_folder_gets_no_signal(tmp_path: Path) -> None:
    with holder(tmp_path, "config.engines") as process:
        with pytest.raises(NoSupervisor):
            restarts.ask(tmp_path, 1)
        assert process.poll() is None


def test_a_number_that_a_dead_supervisor_left_means_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoSupervisor):
        restarts.supervisor(tmp_path)
    # Nobody holds the lock: the number belongs to somebody else by now.
    (tmp_path / restarts.LOCK).write_text(str(os.getpid()))
    with pytest.raises(NoSupervisor):
        restarts.supervisor(tmp_path)
    (tmp_path / restarts.LOCK).write_text("")
    with pytest.raises(NoSupervisor):
        restarts.supervisor(tmp_path)


def test_the_outcome_is_the_one_of_this_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VAR", tmp_path)
    restarts.record("")  # of an earlier one
    with holder(tmp_path, restarts.PROGRAM, prelude=ANSWERS):
        assert restarts.ask(tmp_path, 20) == "broken"


def test_a_supervisor_that_ends_instead_is_noticed(tmp_path: Path) -> None:
    with holder(tmp_path, restarts.PROGRAM), pytest.raises(NoSupervisor):
        restarts.ask(tmp_path, 20)


def test_a_supervisor_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with holder(tmp_path, restarts.PROGRAM, prelude=IGNORES):
        assert restarts.ask(tmp_path, 0.3) is None


def test_the_lock_is_the_one_of_the_engines(tmp_path: Path) -> None:
    with engines._alone(tmp_path):
        with (tmp_path / restarts.LOCK).open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        assert (tmp_path / restarts.LOCK).read_text() == str(os.getpid())
