"""An installation of the benchmark's own: real processes in a scratch folder on a free port."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
STOP_SECONDS = 60
LINE = 300  # characters shown of each line of its log


class NotStarted(Exception):
    """The installation did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The address of an installation, its root process if it is ours, and its environment."""

    host: str
    port: int
    root: int | None
    environment: dict[str, str]


@contextmanager
def started(web_processes: int) -> Iterator[Instance]:
    """Run an installation in production mode, without TLS, for the duration of a ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="causerie-bench-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL's user must be able to pass through.
        port = _free_port()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "DEBUG", "BEHIND_PROXY"}
        } | {
            "VAR": str(Path(folder) / "var"),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DEMO": "off",
            "RATE_LIMITS": "off",  # all load comes from one address
            "HTTPS": "off",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1",
            "WEB_PROCESSES": str(web_processes),
            "LOG_LEVEL": "WARNING",
        }
        log = Path(folder) / "supervisor.log"
        with log.open("wb") as output:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        try:
            _wait(f"http://127.0.0.1:{port}/readyz", supervisor, log)
            yield Instance("127.0.0.1", port, supervisor.pid, environment)
        finally:
            supervisor.send_signal(signal.SIGTERM)
            try:
                supervisor.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                supervisor.kill()
                supervisor.wait()
            log_lines = log.read_text(errors="replace").splitlines()
            for line in [line for line in log_lines if " WARNING " in line or " ERROR " in line][
                -10:
            ]:
                print(line[:LINE], file=sys.stderr)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, supervisor: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and supervisor.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.3)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise NotStarted(f"the installation did not come up:\n{last}")
