"""A web process of each server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from config import engines

SERVERS = ("daphne", "uvicorn")


@dataclass(frozen=True)
class WebProcess:
    """A web process, whose engines are those of the tests. Its database is empty."""

    server: str
    port: int
    process: psutil.Process


@pytest.fixture(params=SERVERS, scope="module")
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebProcess]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "WEB_SERVER": request.param,
        "VAR": str(tmp_path_factory.mktemp("web") / "var"),
        "DATABASE_URL": engines.database_url(settings.VAR),
        "REDIS_URL": engines.redis_url(settings.VAR),
        "RATE_LIMITS": "off",
    }
    command = [sys.executable, "-m", "config.web_servers", f"127.0.0.1:{port}"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, env=environment) as process:
        try:
            for _ in range(600):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            yield WebProcess(request.param, port, psutil.Process(process.pid))
        finally:
            process.terminate()
