"""``make run`` serves, recovers, stops completely, and keeps the data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from config import engines, health
from tests import seed
from tests.config.test_settings import free_port


@contextmanager
def supervised(root: Path, var: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "VAR": str(var),
        "PORT": str(port),
        "WEB_PROCESSES": "2",
    }
    with (var.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"],
            cwd=root,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: b"Causerie is ready" in (var.parent / "log").read_bytes(), process)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(condition: object, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    assert callable(condition)
    give_up = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < give_up, "it takes too long"
        time.sleep(0.1)


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def webs(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return its web processes; others may end meanwhile."""
    processes = []
    for one in family(process):
        with suppress(psutil.NoSuchProcess):
            processes += [one] if one.name().startswith("causerie-web") else []
    return processes


def engine(process: subprocess.Popen[bytes], program: str) -> psutil.Process:
    """Return its engine. PostgreSQL's back ends have the same name, but another parent."""
    return next(
        child for child in psutil.Process(process.pid).children() if child.name() == program
    )


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def get(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        status: int = response.status
        return status


def is_ready(port: int) -> bool:
    """Return whether it answers with both engines; it may remember its last answer for a while."""
    time.sleep(health.CACHE_SECONDS)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as response:
            checks = json.load(response)["checks"]
        engines_answer = {checks[name]["state"] for name in ("database", "valkey")} == {"ok"}
        return engines_answer and get(port, "/login/") == 200
    except OSError:
        return False


def test_the_supervisor_serves_recovers_stops_and_keeps_data(root: Path, tmp_path: Path) -> None:
    var, port = tmp_path / "var", free_port()
    seed.create_seed(var)
    with supervised(root, var, port) as process:
        assert get(port, "/readyz") == get(port, "/login/") == 200
        assert get(port, "/static/admin/css/base.css") == 200
        with psycopg.connect(engines.database_url(var), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept ()")

        (first, second) = webs(process)
        first.kill()
        wait_for(
            lambda: b"web.1 ended with code -9" in (tmp_path / "log").read_bytes(), process, 30
        )
        assert get(port, "/login/") == 200  # by the other one
        wait_for(lambda: len(webs(process)) == 2, process, 60)
        assert second.is_running()
        second.suspend()  # It would hold its share of the connections.
        wait_for(lambda: not is_alive(second), process, 60)
        wait_for(lambda: len(webs(process)) == 2, process, 60)
        log = (tmp_path / "log").read_text()
        assert "web.2 gave no sign of life" in log
        for name in ("web.1", "web.2"):
            log = log.replace(f"{name} ended with code -9", "")
        assert " ended with code" not in log, log

        for program, name in (("postgres", "PostgreSQL"), ("valkey-server", "Valkey")):
            engine(process, program).kill()
            report = f"{name} ended with code -9; it starts again".encode()
            wait_for(lambda told=report: told in (tmp_path / "log").read_bytes(), process, 60)
            wait_for(lambda: is_ready(port), process, 60)
            assert engine(process, program).is_running()

        children = family(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert [child for child in children if child.is_running()] == []

    # Nothing is prepared that has not changed: see test_preparation.
    with supervised(root, var, port) as process:
        with psycopg.connect(engines.database_url(var)) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        children = family(process)
        process.kill()  # no parent is left to stop them
        _, alive = psutil.wait_procs(children, timeout=30)
        assert alive == []
