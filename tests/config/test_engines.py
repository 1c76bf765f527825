"""The embedded servers: leftovers of a killed run, deep folders, two runs on one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import engines

RUN = """
import sys, time
from pathlib import Path
from config import engines
with engines.running(Path(sys.argv[1]), forgetful=True):
    print("up", flush=True)
    time.sleep(60)
"""


def start(folder: Path, root: Path) -> subprocess.Popen[str]:
    """Start a run of its own on ``folder`` and wait until it is up."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


def servers(folder: Path) -> list[psutil.Process]:
    """Return the servers whose working directory is this folder."""
    processes = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                processes.append(process)
        except psutil.Error:
            continue
    return processes


def store_value(folder: Path) -> None:
    with psycopg.connect(engines.database_url(folder)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    with redis.Redis.from_url(engines.redis_url(folder)) as valkey:
        valkey.set("kept", 1)


def value_is_stored(folder: Path) -> bool:
    with (
        psycopg.connect(engines.database_url(folder)) as connection,
        redis.Redis.from_url(engines.redis_url(folder)) as valkey,
    ):
        return bool(connection.execute("SELECT number FROM kept").fetchone() and valkey.get("kept"))


def test_data_survives_a_clean_stop_in_a_folder_too_deep_for_sockets(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    with engines.running(folder, forgetful=True):
        store_value(folder)
    assert servers(folder) == []
    with engines.running(folder, forgetful=True):
        assert value_is_stored(folder)


def test_a_killed_run_stops_its_servers_and_the_next_one_starts(tmp_path: Path, root: Path) -> None:
    process = start(tmp_path, root)
    store_value(tmp_path)
    process.kill()
    process.wait()
    with engines.running(tmp_path, forgetful=True):  # at once: they may still be shutting down
        assert value_is_stored(tmp_path)
    assert servers(tmp_path) == []


def test_a_run_starts_after_its_servers_were_killed(tmp_path: Path, root: Path) -> None:
    process = start(tmp_path, root)
    store_value(tmp_path)
    time.sleep(1.1)  # Valkey writes to disk each second
    for server in servers(tmp_path):
        server.send_signal(signal.SIGKILL)
    process.kill()
    process.wait()
    assert (tmp_path / "postgres" / "postmaster.pid").exists()
    # As after a reboot: the number now belongs to another process.
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n" + pid_file.read_text().split("\n", 1)[1])
    with engines.running(tmp_path, forgetful=True):
        assert value_is_stored(tmp_path)


def test_a_second_run_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with engines.running(tmp_path, postgres=False):
        with pytest.raises(engines.EngineError, match=f"in use by another run .pid {os.getpid()}"):
            with engines.running(tmp_path, postgres=False):
                raise AssertionError
        assert redis.Redis.from_url(engines.redis_url(tmp_path)).ping()


def test_data_of_another_postgresql_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(engines.EngineError, match="was created by PostgreSQL 17, but this is 18"):
        with engines.running(tmp_path, valkey=False):
            raise AssertionError


def test_the_socket_folder_is_private(tmp_path: Path) -> None:
    with engines.running(tmp_path, postgres=False):
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
