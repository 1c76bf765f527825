"""The product under trial: real processes, whose engines and children a fault can take hold of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import redis

from config import engines
from tests.browser.disconnects import Connection
from tests.browser.product import ROOT, Product
from tests.faults.people import Address

AGENTS, VISITORS = 4, 60


class Site:
    """A running product, and a line to it that can be cut."""

    def __init__(self, var: Path, root: Path = ROOT) -> None:
        self.product = Product(var, root)
        self.line: Connection | None = None

    def start(self) -> None:
        self.product.start()

    def stop(self) -> None:
        if self.line is not None:
            self.line.stop()
        code = self.product.stop()
        assert code == 0, self.product.log_tail()

    def prepare(
        self, *, by_line: bool, agents: int = AGENTS, visitors: int = VISITORS
    ) -> tuple[Address, list[str]]:
        """Make a website whose agents can take so many visitors; return its address and their
        cookies."""
        command = [sys.executable, "-m", "bench.prepare", "--agents", str(agents)]
        done = subprocess.run(
            [*command, "--visitors", str(visitors)],
            cwd=self.product.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            check=True,
        )
        prepared = json.loads(done.stdout)
        url = self.product.url
        if by_line:
            self.line = self.line or Connection(self.product.port)
            url = self.line.url
        return Address(url, prepared["key"], prepared["consent"]), prepared["cookies"]

    def environment(self) -> dict[str, str]:
        """Return the environment for commands that run beside the product."""
        return self.product.variables() | self.product.engines()

    @property
    def supervisor(self) -> psutil.Process:
        assert self.product.process is not None
        return psutil.Process(self.product.process.pid)

    def engine(self, program: str) -> psutil.Process:
        """Return ``postgres`` or ``valkey-server``: a child of the supervisor."""
        return self._child(lambda process: process.name() == program)

    def process(self, *words: str) -> psutil.Process:
        """Return the supervisor's child whose command has these words, such as ``worker``."""
        return self._child(lambda process: {*words} <= {*process.cmdline()})

    def _child(self, is_meant: Callable[[psutil.Process], bool]) -> psutil.Process:
        for process in self.supervisor.children():
            with suppress(psutil.NoSuchProcess):  # ended meanwhile
                if is_meant(process):
                    return process
        raise LookupError("the supervisor has no such child now")

    @property
    def sockets(self) -> Path:
        return Path(engines.database_url(self.product.var).partition("host=")[2])

    def database(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(engines.database_url(self.product.var), autocommit=True)

    def valkey(self) -> redis.Redis:
        return redis.Redis.from_url(engines.redis_url(self.product.var))

    def end_back_ends(self) -> int:
        """End every connection to the database; return how many there were."""
        with self.database() as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        assert ended is not None
        return int(str(ended[0]))

    @contextmanager
    def unreachable(self, name: str) -> Iterator[None]:
        """Hide an engine's socket during the block: nobody can connect."""
        hidden = self.sockets / f"{name}.hidden"
        os.rename(self.sockets / name, hidden)
        try:
            yield
        finally:
            os.rename(hidden, self.sockets / name)
