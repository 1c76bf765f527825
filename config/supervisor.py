"""``make run``: engines, web processes, worker and beat, started together and stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

from config import engines, settings
from config.environment import refuse
from config.health import problems

READY_SECONDS = 120
STOP_SECONDS = 10
STEADY_SECONDS = 60  # a process that ran longer restarts without a longer pause
LONGEST_PAUSE = 30


def main() -> None:
    """Run until Ctrl-C or SIGTERM; end with one line and an exit code if that is not possible."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        with (
            listen(settings.HOST, settings.PORT) as listener,
            engines.running(
                settings.VAR, postgres=settings.OWN_POSTGRES, valkey=settings.OWN_VALKEY
            ),
        ):
            for problem in problems():
                refuse(problem)
            prepare()
            if not asyncio.run(supervise(listener)):
                refuse(f"the web processes did not get ready in {READY_SECONDS} s")
    except engines.EngineError as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"{error.strerror}: {error.filename}")
    except KeyboardInterrupt:
        say("stopped before it was ready")


def say(text: str) -> None:
    print(f"causerie: {text}", file=sys.stderr, flush=True)


def listen(host: str, port: int) -> socket.socket:
    """Open the one socket that all web processes accept from."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except socket.gaierror:
        refuse(f"HOST is no address of this machine: {host}")
    except OSError as error:
        refuse(f"cannot listen on {host}, port {port}: {error.strerror} (PORT chooses another)")
    return listener


def prepare() -> None:
    """Run ``manage.py prepare``, which migrates, without a time limit."""
    command = [sys.executable, "manage.py", "prepare"]
    environment = {**os.environ, "STATEMENT_SECONDS": "0"}
    done = subprocess.run(
        engines.guarded(command), cwd=settings.BASE_DIR, env=environment, start_new_session=True
    )
    if done.returncode != 0:
        refuse("manage.py prepare failed")


def commands(listener: socket.socket) -> dict[str, list[str]]:
    """Return the processes to run, by name."""
    python = [sys.executable, "-m"]
    daphne = [*python, "daphne", "--fd", str(listener.fileno()), "-v", "0", "--no-server-name"]
    daphne += ["--ping-interval", "10", "--ping-timeout", "15"]
    if settings.BEHIND_PROXY:
        daphne.append("--proxy-headers")
    # Celery warns about root, the usual user of a container; outside one, run it as another user.
    quiet = ["-W", "ignore:::celery.platforms"]
    celery = [sys.executable, *quiet, "-m", "celery", "--quiet", "-A", "config.celery"]
    return {
        **{
            f"web.{number}": [*daphne, "config.asgi:application"]
            for number in range(1, settings.WEB_PROCESSES + 1)
        },
        "worker": [*celery, "worker", "-c", "2", "--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--pidfile="],
        **({"mail": [sys.executable, "manage.py", "mail_in"]} if settings.MAIL_IN else {}),
    }


async def supervise(listener: socket.socket) -> bool:
    """Run all processes until a signal comes; return false if they never became ready."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    stopping = asyncio.create_task(stop.wait())
    supervised = [
        asyncio.create_task(keep(name, command, listener.fileno(), stopping))
        for name, command in commands(listener).items()
    ]
    is_ready = await ready(listener, stopping)
    if is_ready:
        print(welcome(), flush=True)
        await stopping
    was_told = stop.is_set()
    say("stopping")
    stop.set()
    await asyncio.gather(*supervised)
    return was_told


async def keep(name: str, command: list[str], fd: int, stopping: asyncio.Task[bool]) -> None:
    """Run one process, and restart it whenever it ends, until ``stopping`` is done."""
    pause = 1
    while not stopping.done():
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *engines.guarded(command),
            cwd=settings.BASE_DIR,
            env={**os.environ, "PROCESS_NAME": name},
            stdin=subprocess.DEVNULL,
            pass_fds=[fd] if name.startswith("web") else [],
            start_new_session=True,  # Ctrl-C is for us alone, and the whole group can be killed
        )
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = await ended
        if not stopping.done():
            if time.monotonic() - begun > STEADY_SECONDS:
                pause = 1
            say(f"{name} ended with code {code}; it starts again in {pause} s")
            await asyncio.wait({stopping}, timeout=pause)
            pause = min(2 * pause, LONGEST_PAUSE)


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


def welcome() -> str:
    """Return what someone who just typed ``make run`` wants to know."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)
    address = f"http://{host}:{settings.PORT}"
    if not settings.DEMO:
        return f"\nCauserie is ready: {address}/\n"
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
