"""The product as ``make run`` starts it, on a data folder and a port of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from config import engines
from tests import seed

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 200  # on a busy machine; a quiet one needs 6
STOP_SECONDS = 40
TRIES = 5
SNAPSHOT_MS = 2100  # a page view's answer about free places may be two seconds old
INHERITED = {"PATH", "HOME", "USER", "LANG", "TMPDIR", "VIRTUAL_ENV", "WEB_SERVER"}
VERSION = "{engagement}:version"
# What visitors and agents create; the demo's people, groups and rules stay.
TRACES = [
    "accounts_preferences",
    "conversations_conversation",
    "conversations_outboxentry",
    "conversations_person",
    "conversations_visitor",
    "routing_deskconnection",
    "routing_deskpresence",
]


class Product:
    """One running Causerie. ``start`` and ``stop`` may alternate: the data stays."""

    def __init__(self, var: Path, root: Path = ROOT, **environment: str) -> None:
        self.var = var
        self.root = root
        self.environment = {"DEMO": "on", "RATE_LIMITS": "off", **environment}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = var / "product.log"
        self.process: subprocess.Popen[bytes] | None = None
        # Cookies of earlier logins, by name: checking a password is slow by design.
        self.sessions: dict[str, list[Any]] = {}

    def start(self) -> None:
        if not self.var.exists():
            seed.create_seed(self.var)
        self.var.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor"],
                cwd=self.root,
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def variables(self) -> dict[str, str]:
        """Return its environment, for commands that run beside it."""
        inherited = {name: os.environ[name] for name in INHERITED & os.environ.keys()}
        own = {"ENV_FILE": os.devnull, "VAR": str(self.var), "PORT": str(self.port)}
        return inherited | own | {"WEB_PROCESSES": "2"} | self.environment

    def engines(self) -> dict[str, str]:
        """Return the addresses of its engines, for a process that starts none of its own."""
        return {
            "DATABASE_URL": engines.database_url(self.var),
            "REDIS_URL": engines.redis_url(self.var),
        }

    def wait_until_ready(self) -> None:
        give_up = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            assert self.process is not None
            assert self.process.poll() is None, self.log_tail()
            assert time.monotonic() < give_up, self.log_tail()
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> int:
        """Press Ctrl-C. Returns the exit code, once none of its processes is left."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(STOP_SECONDS)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        self.process = None
        _, alive = psutil.wait_procs(children, timeout=3)
        left = [" ".join(one.cmdline()) for one in alive]
        for one in alive:
            one.kill()
        assert left == [], f"left behind by Ctrl-C: {left}"
        return code

    @contextmanager
    def suspended(self, *roles: str) -> Iterator[None]:
        """Suspend these processes (``worker``, ``beat``) with their children during the block."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        chosen = [one for one in children if set(roles) & set(one.cmdline())]
        assert chosen, roles
        for one in chosen:
            one.suspend()
        try:
            yield
        finally:
            for one in chosen:
                one.resume()

    def web_processes(self) -> list[psutil.Process]:
        """Return its web processes; they and others may end meanwhile."""
        assert self.process is not None
        webs = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                webs += [one] if one.name().startswith("causerie-web") else []
        return webs

    def log_tail(self) -> str:
        """Return the end of its log, to explain a failure."""
        return self.log.read_text(errors="replace")[-4000:]

    def connection(self) -> psycopg.Connection[tuple[object, ...]]:
        """A transaction on its database, which keeps its locks until it is committed."""
        return psycopg.connect(engines.database_url(self.var))

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Query its database directly."""
        with psycopg.connect(engines.database_url(self.var), autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def forget(self) -> None:
        """Reset the data: no visitors, no conversations, nobody available, three places."""
        for _try in range(TRIES):
            # A worker may lock these tables in another order; PostgreSQL then ends one of us.
            with suppress(psycopg.errors.DeadlockDetected):
                self._forget()
                break
        else:
            raise AssertionError("the product never lets go of its tables")
        self.outdate()

    def _forget(self) -> None:
        with psycopg.connect(engines.database_url(self.var), autocommit=True) as connection:
            # The triggers of the records do not fire for a replica.
            connection.execute("SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {', '.join(TRACES)} CASCADE")
            connection.execute("SET session_replication_role = origin")
            connection.execute("UPDATE accounts_agentchannel SET is_available = false")
            connection.execute("UPDATE accounts_user SET language = ''")
            connection.execute("UPDATE routing_rulestep SET places = 3 WHERE position = 1")
            connection.execute("DELETE FROM routing_targetingcondition")
            connection.execute("DELETE FROM routing_targetingrule WHERE id > 1")
            connection.execute(
                "UPDATE routing_targetingrule SET pages_excluded = '{}', position = 9"
            )

    def target(self, name: str, page: str, *, position: int = 0, **asked: Any) -> int:
        """Create a targeting rule for pages of the demo, before the one for every page; return its
        id."""
        columns = {
            "website_id": 1,
            "rule_id": 1,
            "name": name,
            "position": position,
            "is_enabled": True,
            "pages_included": [page],
            "pages_excluded": [],
            "languages": [],
            "devices": [],
            "audience": "anybody",
            "seconds_on_page": 0,
            "pages_viewed": 1,
            "hours": "always",
            "shows_when_closed": False,
            "texts": "{}",
        } | asked
        names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
        inserted = self.rows(
            f"INSERT INTO routing_targetingrule ({names}) VALUES ({holes}) RETURNING id",
            *columns.values(),
        )
        self.outdate()
        return int(str(inserted[0][0]))

    def outdate(self) -> None:
        """Invalidate cached answers, as the admin does after each change."""
        with redis.Redis.from_url(f"{engines.redis_url(self.var)}?db=1") as valkey:
            valkey.incr(VERSION)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
