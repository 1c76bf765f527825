"""The faults, each as a context: entering it makes the fault strike and yields the proof that it
did; leaving it heals what does not heal by itself.

They run in a thread beside the load. ``Fault.bound`` says for how many seconds at most no message
may be accepted, counted from the strike, or from the healing where nothing can go on before it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass

import psutil
import psycopg

from tests.browser.product import ROOT
from tests.faults.site import Site

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the matrix."""

    name: str
    strike: Callable[[Site], AbstractContextManager[str]]
    bound: float
    is_healed_first: bool = False
    """Nothing can be accepted until it is healed: the bound counts from there."""
    by_line: bool = False
    """People reach the product by a line that can be cut."""
    is_unnoticed: bool = False
    """No request at all may fail."""
    is_smoke: bool = False
    """Part of ``make test``."""


def wait_for(condition: Callable[[], object], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, f"in vain: {what}"
        time.sleep(0.02)


def kill(*processes: psutil.Process) -> str:
    """Kill these processes with SIGKILL; the proof names them."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # ended by the death of the one before
            process.kill()
    _ended, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    gone = [one for one in processes if one not in alive or one.status() == psutil.STATUS_ZOMBIE]
    assert len(gone) == len(processes), f"alive: {alive}"
    return f"{len(processes)} killed"


@contextmanager
def web_process_killed(site: Site) -> Iterator[str]:
    (first, *_others) = site.product.web_processes()
    yield kill(first)


@contextmanager
def web_processes_killed(site: Site) -> Iterator[str]:
    yield kill(*site.product.web_processes())


@contextmanager
def web_processes_killed_again(site: Site) -> Iterator[str]:
    """Three times, each time as soon as both are there."""
    proofs = []
    for _time in range(3):
        wait_for(lambda: len(site.product.web_processes()) == 2, "two web processes")
        proofs.append(kill(*site.product.web_processes()))
    yield ", ".join(proofs)


@contextmanager
def web_process_stopped(site: Site) -> Iterator[str]:
    (first, *_others) = site.product.web_processes()
    first.suspend()
    wait_for(lambda: first.status() == psutil.STATUS_STOPPED, "a stopped web process")
    yield "SIGSTOP"
    wait_for(lambda: not first.is_running(), "its replacement")


@contextmanager
def keeper_killed(site: Site) -> Iterator[str]:
    yield kill(site.process("config.web_processes"))


@contextmanager
def worker_killed(site: Site) -> Iterator[str]:
    worker = site.process("worker")
    yield kill(*worker.children(recursive=True), worker)


@contextmanager
def child_of_worker_killed(site: Site) -> Iterator[str]:
    (first, *_others) = site.process("worker").children()
    yield kill(first)


@contextmanager
def beat_killed(site: Site) -> Iterator[str]:
    yield kill(site.process("beat"))


@contextmanager
def beat_stopped(site: Site) -> Iterator[str]:
    beat = site.process("beat")
    beat.suspend()
    wait_for(lambda: beat.status() == psutil.STATUS_STOPPED, "a stopped beat")
    yield "SIGSTOP"
    beat.resume()


@contextmanager
def second_beat(site: Site) -> Iterator[str]:
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery", "beat"]
    with subprocess.Popen(
        [*command, "--pidfile="],
        cwd=ROOT,
        env=site.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as beat:
        time.sleep(3)  # it has begun to send
        assert beat.poll() is None
        yield "a second one runs"
        beat.terminate()


@contextmanager
def supervisor_killed(site: Site) -> Iterator[str]:
    """And started again at once, as a service manager does."""
    process = site.product.process
    assert process is not None
    proof = kill(psutil.Process(process.pid))
    process.wait()
    site.product.start()
    yield proof


@contextmanager
def all_stopped(site: Site) -> Iterator[str]:
    """An ordinary stop and start, as for an upgrade."""
    code = site.product.stop()
    site.product.start()
    yield f"stopped with code {code}"


@contextmanager
def all_restarted(site: Site) -> Iterator[str]:
    """Each process replaced by a new one, as after an upgrade that needs no stop."""
    before = [one for one in site.supervisor.children() if "config." in " ".join(one.cmdline())]
    webs = site.product.web_processes()
    assert len(webs) == 2
    subprocess.run(
        [sys.executable, "manage.py", "restart"],
        cwd=ROOT,
        env=site.environment(),
        check=True,
        capture_output=True,
    )
    left = [one for one in (*before, *webs) if _runs(one)]
    assert left == [], left
    assert len(site.product.web_processes()) == 2
    yield f"{len(webs)} web processes and {len(before)} others replaced"


@contextmanager
def back_ends_ended(site: Site) -> Iterator[str]:
    ended = site.end_back_ends()
    assert ended
    yield f"{ended} connections"


@contextmanager
def back_end_killed(site: Site) -> Iterator[str]:
    """PostgreSQL then ends all others and recovers as after a crash."""
    with site.database() as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        os.kill(int(str(row[0])), signal.SIGKILL)
        with suppress(psycopg.OperationalError):
            connection.execute("SELECT 1")
            raise AssertionError("the back end lives")
    yield "SIGKILL"


def _ended_postgres(number: signal.Signals) -> Callable[[Site], AbstractContextManager[str]]:
    @contextmanager
    def strike(site: Site) -> Iterator[str]:
        postgres = site.engine("postgres")
        postgres.send_signal(number)
        wait_for(lambda: not _runs(postgres), "the end of PostgreSQL")
        yield number.name

    return strike


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@contextmanager
def postgres_away(site: Site) -> Iterator[str]:
    with site.database() as connection:  # the last one
        with site.unreachable(".s.PGSQL.5432"):
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            yield f"{ended[0] if ended else 0} connections ended, none can be made"


@contextmanager
def postgres_hangs(site: Site) -> Iterator[str]:
    """The server and all its processes are stopped: connections stay open and say nothing."""
    postgres = site.engine("postgres")
    stopped = [postgres, *postgres.children(recursive=True)]
    for process in stopped:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    wait_for(lambda: postgres.status() == psutil.STATUS_STOPPED, "a stopped PostgreSQL")
    yield f"SIGSTOP of {len(stopped)} processes"
    for process in stopped:
        with suppress(psutil.NoSuchProcess):
            process.resume()


@contextmanager
def connections_exhausted(site: Site) -> Iterator[str]:
    with ExitStack() as held:
        with site.database() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        taken = 0
        with suppress(psycopg.OperationalError):
            while taken < 1000:
                held.enter_context(site.database())
                taken += 1
        assert taken < 1000, "there is no limit"
        yield f"{taken} taken"


@contextmanager
def locks_held(site: Site) -> Iterator[str]:
    """Somebody locks every conversation for a second, again and again."""
    waited: list[int] = []
    is_over = threading.Event()

    def hold() -> None:
        with site.database() as locking, site.database() as watching:
            while not is_over.is_set():
                with locking.transaction():
                    locking.execute("SELECT id FROM conversations_conversation FOR UPDATE")
                    time.sleep(1)
                    row = watching.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    ).fetchone()
                    assert row is not None
                    waited.append(int(str(row[0])))
                time.sleep(0.3)

    thread = threading.Thread(target=hold)
    thread.start()
    wait_for(lambda: any(waited), "somebody who waits for a lock")
    yield f"{max(waited)} wait"
    is_over.set()
    thread.join()


@contextmanager
def valkey_killed(site: Site) -> Iterator[str]:
    """With its memory: it starts again empty."""
    with site.valkey() as connection:
        connection.flushall()
    yield kill(site.engine("valkey-server"))


@contextmanager
def valkey_away(site: Site) -> Iterator[str]:
    with site.valkey() as connection:
        connection.ping()  # over the last connection
        with site.unreachable("valkey.sock"):
            ended = sum(
                int(connection.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"))
                for kind in ("normal", "pubsub")
            )
            assert ended
            yield f"{ended} connections ended, none can be made"


@contextmanager
def valkey_hangs(site: Site) -> Iterator[str]:
    valkey = site.engine("valkey-server")
    valkey.suspend()
    wait_for(lambda: valkey.status() == psutil.STATUS_STOPPED, "a stopped Valkey")
    yield "SIGSTOP"
    valkey.resume()


@contextmanager
def valkey_full(site: Site) -> Iterator[str]:
    with site.valkey() as connection:
        connection.config_set("maxmemory", "1")
        with suppress(Exception):
            connection.set("fault", "1")
            raise AssertionError("it takes more")
        yield "it takes nothing more"
        connection.config_set("maxmemory", "0")


@contextmanager
def lines_cut(site: Site) -> Iterator[str]:
    assert site.line is not None
    site.line.cut()
    yield f"{site.line.broken} connections reset"
    site.line.heal()


@contextmanager
def lines_held(site: Site) -> Iterator[str]:
    """Nothing passes, and nobody is told."""
    assert site.line is not None
    site.line.flows.clear()
    yield "held"
    site.line.flows.set()


@contextmanager
def lines_slow(site: Site) -> Iterator[str]:
    assert site.line is not None
    site.line.delay = 0.3
    yield "0.3 s each way"
    site.line.delay = 0.0


# What a fault may cost at most, in seconds, on a quiet machine of this kind (two cores). The short
# form in ``make test`` allows five times as much: it must hold on busy machines, too.
MATRIX = [
    Fault("One web process killed", web_process_killed, 2, is_smoke=True),
    Fault("Both web processes killed", web_processes_killed, 5),
    Fault("Both killed three times in a row", web_processes_killed_again, 8),
    Fault("A web process stopped (SIGSTOP)", web_process_stopped, 2),
    Fault("The keeper of the web processes killed", keeper_killed, 8),
    Fault("The worker killed", worker_killed, 2, is_smoke=True),
    Fault("A child of the worker killed", child_of_worker_killed, 2),
    Fault("Beat killed", beat_killed, 2),
    Fault("Beat stopped (SIGSTOP)", beat_stopped, 2),
    Fault("A second beat", second_beat, 2),
    Fault("The supervisor killed, started again", supervisor_killed, 8),
    Fault("Everything stopped, started again", all_stopped, 10),
    Fault("Everything restarted by `restart`", all_restarted, 2, is_unnoticed=True, is_smoke=True),
    Fault("All connections to PostgreSQL ended", back_ends_ended, 2),
    Fault("A back end of PostgreSQL killed", back_end_killed, 5, is_smoke=True),
    Fault("PostgreSQL restarted (fast)", _ended_postgres(signal.SIGINT), 5),
    Fault("PostgreSQL restarted (immediate)", _ended_postgres(signal.SIGQUIT), 5),
    Fault("PostgreSQL killed", _ended_postgres(signal.SIGKILL), 8),
    Fault("PostgreSQL cannot be reached", postgres_away, 5, is_healed_first=True),
    Fault("PostgreSQL hangs (SIGSTOP)", postgres_hangs, 5, is_healed_first=True),
    Fault("Connections to PostgreSQL exhausted", connections_exhausted, 5, is_healed_first=True),
    Fault("Conversations locked by somebody else", locks_held, 4),
    Fault("Valkey killed, started again empty", valkey_killed, 2, is_smoke=True),
    Fault("Valkey cannot be reached", valkey_away, 2),
    Fault("Valkey hangs (SIGSTOP)", valkey_hangs, 6),
    Fault("Valkey full", valkey_full, 2),
    Fault("Lines cut", lines_cut, 5, is_healed_first=True, by_line=True, is_smoke=True),
    Fault("Lines held", lines_held, 5, is_healed_first=True, by_line=True),
    Fault("Lines slow", lines_slow, 4, by_line=True),
]
