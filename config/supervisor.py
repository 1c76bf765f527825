"""``make run``: engines, web processes, worker and beat, started together and stopped together."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from config import child_processes, engines, preparation, restarts, settings
from config.child_processes import (
    LONGEST_PAUSE,
    READY_SECONDS,
    STEADY_SECONDS,
    STOP_SECONDS,
    WEB,
    ChildProcess,
    Process,
    say,
    start,
)
from config.engine_checks import problems
from config.environment import refuse

POLL_SECONDS = 0.2


def main() -> None:
    """Run until Ctrl-C or SIGTERM; end with one line and an exit code if that is not possible."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    # While it starts, there is nothing to restart; unhandled, the signal would end it.
    signal.signal(restarts.SIGNAL, lambda *_: None)
    try:
        with (
            listen(settings.HOST, settings.PORT) as listener,
            loading(listener) as web,
            engines.running(
                settings.VAR, postgres=settings.OWN_POSTGRES, valkey=settings.OWN_VALKEY
            ) as own_engines,
        ):
            for problem in problems():
                refuse(problem)
            if not preparation.is_done():
                prepare()
            if not asyncio.run(supervise(listener, web, own_engines)):
                refuse(f"the web processes did not get ready in {READY_SECONDS} s")
    except engines.EngineError as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"{error.strerror}: {error.filename}")
    except KeyboardInterrupt:
        say("stopped before it was ready")


def listen(host: str, port: int) -> socket.socket:
    """Open the one socket that all web processes accept from."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        # The last run's connections would hold the port for a minute after their end.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, address)
        listener.listen(1024)
    except socket.gaierror:
        refuse(f"HOST is no address of this machine: {host}")
    except OSError as error:
        refuse(f"cannot listen on {host}, port {port}: {error.strerror} (PORT chooses another)")
    return listener


def _bind(listener: socket.socket, address: Any) -> None:
    """Bind it. What a killed run has left behind may hold the port for as long as it takes to
    stop."""
    give_up = time.monotonic() + STOP_SECONDS
    while True:
        try:
            return listener.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > give_up:
                raise
        time.sleep(0.1)


def prepare() -> None:
    """Run ``manage.py prepare``, which migrates, without a time limit."""
    command = [sys.executable, "manage.py", "prepare"]
    environment = {**os.environ, "STATEMENT_SECONDS": "0"}
    done = subprocess.run(
        engines.guarded(command), cwd=settings.BASE_DIR, env=environment, start_new_session=True
    )
    if done.returncode != 0:
        refuse("manage.py prepare failed")
    preparation.record()


@contextmanager
def loading(listener: socket.socket) -> Iterator[Process]:
    """Let the web processes load the application while the engines start. They serve once they are
    released; nothing is left of them after the ``with`` block."""
    web = start(WEB, commands(listener)[WEB], listener.fileno())
    try:
        yield web
    finally:
        if web.poll() is None:
            os.killpg(web.pid, signal.SIGKILL)
            web.wait()


def commands(listener: socket.socket) -> dict[str, list[str]]:
    """Return the processes to run, by name."""
    # Celery warns about root, the usual user of a container; outside one, run it as another user.
    quiet = ["-W", "ignore:::celery.platforms"]
    celery = [sys.executable, *quiet, "-m", "celery", "--quiet", "-A", "config.celery"]
    return {
        WEB: [sys.executable, "-m", "config.web_processes", str(listener.fileno())],
        "worker": [*celery, "worker", "-c", "2", "--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--pidfile="],
        "webhooks": [sys.executable, "manage.py", "send_webhooks"],
        **({"mail": [sys.executable, "manage.py", "mail_in"]} if settings.MAIL_IN else {}),
    }


async def supervise(
    listener: socket.socket, web: Process, own_engines: Sequence[engines.Engine]
) -> bool:
    """Run all processes until a signal comes; return false if they never became ready."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    stopping = asyncio.create_task(stop.wait())
    children = [
        ChildProcess(name, command, listener.fileno(), stopping, web if name == WEB else None)
        for name, command in commands(listener).items()
    ]
    supervised = [asyncio.create_task(child.run()) for child in children]
    supervised += [asyncio.create_task(keep_engine(engine, stopping)) for engine in own_engines]
    is_ready = await ready(listener, stopping)
    if is_ready:
        supervised.append(asyncio.create_task(restart_when_asked(children, stopping)))
        print(welcome(await first_link()), flush=True)
        await stopping
    was_told = stop.is_set()
    say("stopping")
    stop.set()
    await asyncio.gather(*supervised)
    return was_told


async def restart_when_asked(children: list[ChildProcess], stopping: asyncio.Task[bool]) -> None:
    """Restart all processes at each signal, until ``stopping`` is done."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(restarts.SIGNAL, asked.set)
    while not stopping.done():
        asking = asyncio.create_task(asked.wait())
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        if asked.is_set() and not stopping.done():
            asked.clear()
            restarts.record(await child_processes.restart(children))


async def keep_engine(engine: engines.Engine, stopping: asyncio.Task[bool]) -> None:
    """Start an engine again whenever it ends, until ``stopping`` is done; it is stopped last, by
    ``engines.running``."""
    pause, begun = 0, time.monotonic()
    while not stopping.done():
        # Polled: a thread that waits for the engine would have to end before the engine may.
        await asyncio.wait({stopping}, timeout=POLL_SECONDS)
        if stopping.done() or engine.process.poll() is None:
            continue
        if time.monotonic() - begun > STEADY_SECONDS:
            pause = 0
        say(f"{engine.name} ended with code {engine.process.poll()}; it starts again in {pause} s")
        await asyncio.wait({stopping}, timeout=pause)
        pause, begun = min(2 * pause + 1, LONGEST_PAUSE), time.monotonic()
        if not stopping.done():
            with reported():
                engine.start()


@contextmanager
def reported() -> Iterator[None]:
    """Report that an engine cannot start now; it is tried again."""
    try:
        yield
    except (engines.EngineError, OSError) as error:
        say(str(error))


async def ready(listener: socket.socket, stopping: asyncio.Task[bool]) -> bool:
    """Poll ``/readyz`` until it answers 200, for at most ``READY_SECONDS``."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    asking = asyncio.create_task(_ask(host, port))
    done, _ = await asyncio.wait(
        {asking, stopping}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    asking.cancel()
    return asking in done


async def _ask(host: str, port: int) -> None:
    answer = b""
    while b" 200 " not in answer:
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with suppress(ConnectionError):
            answer = await reader.readline()
        writer.close()


async def first_link() -> str:
    """Return the link for the first administrator of a new installation; otherwise nothing."""
    if settings.DEMO:
        return ""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "first_administrator", "--verbosity", "0"),
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    output, _ = await process.communicate()
    return output.decode().strip()


def welcome(link: str) -> str:
    """Return what someone who just typed ``make run`` wants to know."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)
    address = f"http://{host}:{settings.PORT}"
    if not settings.DEMO:
        ready = f"\nCauserie is ready: {address}/\n"
        if link:
            ready += (
                "\nNobody has an account yet. Create the first administrator in a browser, within"
                f" an hour:\n\n  {link}\n"
            )
        return ready
    return f"""
Causerie is ready.

  The brand's shop    {address}/demo/
  Mails to visitors   {address}/demo/mail/
  The agents' desk    {address}/desk/
  The reports         {address}/reports/production/
  Administration      {address}/admin/

  Log in as           admin, manager, alice, bruno or emma; the password is demo

Ctrl-C stops it; all data stay in {settings.VAR}
"""


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
