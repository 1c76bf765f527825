"""When web processes start again, and when silence means that one must be replaced.

That they really are is proved by ``test_supervisor``.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from config.child_processes import LONGEST_PAUSE, STEADY_SECONDS
from config.web_processes import SILENT_SECONDS, START_SECONDS, Keeper, WebProcess


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    pids: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: pids.append(pid))
    monkeypatch.setattr(os, "killpg", lambda pid, number: None)
    return pids


def running(*, begun_at: float = 100.0, heard_at: float = 101.0) -> tuple[Keeper, WebProcess]:
    process = WebProcess("web.1", pid=1, begun_at=begun_at, heard_at=heard_at)
    keeper = Keeper(3, [process])
    process.signs = os.open(os.devnull, os.O_RDONLY)
    return keeper, process


def test_a_process_starts_again_at_once_and_then_ever_later(killed: list[int]) -> None:
    keeper, process = running()
    pauses = []
    for _time in range(8):
        pauses.append(keeper._ended(process, 110.0))
        assert process.due_at == 110.0 + pauses[-1]
        process.pid, process.signs = 1, os.open(os.devnull, os.O_RDONLY)
    assert pauses == [0, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    assert keeper._ended(process, process.begun_at + STEADY_SECONDS + 1) == 0


def test_a_silent_process_is_killed_once(killed: list[int]) -> None:
    keeper, process = running()
    keeper._replace_silent(101.0 + SILENT_SECONDS)
    assert killed == []
    for _time in range(2):
        keeper._replace_silent(101.1 + SILENT_SECONDS)
    assert killed == [process.pid]


def test_a_process_has_longer_to_start(killed: list[int]) -> None:
    keeper, _process = running(heard_at=100.0)
    keeper._replace_silent(100.0 + START_SECONDS)
    assert killed == []
    keeper._replace_silent(100.1 + START_SECONDS)
    assert killed == [1]


def test_silence_means_nothing_while_the_keeper_itself_was_stopped(killed: list[int]) -> None:
    keeper, _process = running()
    keeper._forgive(200.0)
    keeper._replace_silent(200.0)
    assert killed == []


def test_no_event_loop_or_thread_exists_before_the_fork() -> None:
    """Otherwise the processes would take each other's events."""
    code = (
        "import sys; from config import web_processes; web_processes.load(); import daphne.cli; "
        "sys.exit(web_processes.REACTOR not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
