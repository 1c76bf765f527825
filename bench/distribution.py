"""``python -m bench.distribution``: measure how fast queues drain and deadlines are enforced on
many rows.

Starts engines of its own in a scratch folder, fills the tables with SQL, and calls what the
product's reactions and tasks call, from as many processes as a worker has.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

WORKERS = 2
GROUPS = 50
AGENTS = 500
WAITING = 10_000
FREED = 400
DEADLINES = 100_000
HISTORY = 100_000
FEW = 100
PROMISES = {
    "assignments a second": (">=", 500.0),
    "freed slot filled, p99 ms": ("<=", 100.0),
    "cost with many rows, share": ("<=", 1.2),
    "deadlines a second": (">=", 2000.0),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.distribution", description=__doc__)
    parser.add_argument("--waiting", type=int, default=WAITING)
    parser.add_argument("--deadlines", type=int, default=DEADLINES)
    parser.add_argument("--history", type=int, default=HISTORY)
    options = parser.parse_args()
    with _engines():
        from bench import rows

        rows.prepare(groups=GROUPS, agents=AGENTS, slots=-(-options.waiting // AGENTS))
        measured = measure(options)
    report = measured | {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    print(json.dumps(report, indent=2))
    missed = 0
    for name, (sign, promise) in PROMISES.items():
        value = measured[name]
        is_met = value >= promise if sign == ">=" else value <= promise
        missed += not is_met
        print(f"{'met   ' if is_met else 'MISSED'} {name} {sign} {promise:g}: {value:g}")
    return 1 if missed else 0


@contextmanager
def _engines() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="causerie-bench-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL's user must be able to pass through.
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": os.devnull,
            "VAR": str(Path(folder) / "var"),
            "DEMO": "off",
            "RATE_LIMITS": "off",  # all load comes from one address
            "DEBUG": "off",
            "HTTPS": "off",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
            "STATEMENT_SECONDS": "120",
        }
        from config import engines, settings

        with engines.running(settings.VAR):
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures. Times are wall-clock times; the machine should be idle otherwise."""
    from bench import rows
    from bench.figures import percentile

    figures: dict[str, Any] = {}

    rows.wait(FEW)
    rows.settle()
    alone = percentile(_spawn(_serve_each, 1)[0][0], 0.5)
    rows.clear_waiting()
    rows.close(options.history - options.waiting)
    rows.wait(options.waiting)
    rows.settle()
    crowded = percentile(_spawn(_serve_each, 1)[0][0], 0.5)
    figures["one assignment, few rows, ms"] = round(1000 * alone, 2)
    figures["one assignment, many rows, ms"] = round(1000 * crowded, 2)
    figures["cost with many rows, share"] = round(crowded / alone, 2)
    rows.clear_waiting()

    rows.wait(options.waiting)
    rows.settle()
    pushed, seconds = _sum(_spawn(_fill_agents))
    figures["assignments"] = pushed
    figures["assignments a second"] = round(pushed / seconds, 1)
    figures["above their slots"] = rows.above_slots()

    rows.wait(FREED)
    rows.settle()
    spans = [span for worker, _seconds in _spawn(_free_slots) for span in worker]
    figures["freed slots"] = len(spans)
    figures["freed slot filled, p50 ms"] = round(1000 * percentile(spans, 0.5), 1)
    figures["freed slot filled, p99 ms"] = round(1000 * percentile(spans, 0.99), 1)

    rows.clear_waiting()
    rows.snooze(options.deadlines)
    # Woken conversations start to wait: without free agents only the deadlines are measured, not
    # the pushes.
    rows.go_home()
    rows.settle()
    moved, seconds = _sum(_spawn(_enforce))
    figures["deadlines"] = moved
    figures["deadlines a second"] = round(moved / seconds, 1)
    return figures


def _sum(results: list[tuple[int, float]]) -> tuple[int, float]:
    """Return the total of all processes, and the seconds of the slowest."""
    return sum(done for done, _seconds in results), max(seconds for _done, seconds in results)


def _spawn(work: Callable[[int], T], workers: int = WORKERS) -> list[tuple[T, float]]:
    """Run ``work`` in several processes at once; return each one's result and its seconds, without
    start-up."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    results: Any = context.Queue()
    processes = [
        context.Process(target=_worker, args=(work, part, ready, go, results))
        for part in range(workers)
    ]
    for process in processes:
        process.start()
    for _process in processes:
        ready.acquire()
    go.set()
    answers = [results.get() for _process in processes]
    for process in processes:
        process.join()
    return answers


def _worker(work: Callable[[int], Any], part: int, ready: Any, go: Any, results: Any) -> None:
    import django

    django.setup()
    from django.db import connection

    from core.realtime import event_loop

    event_loop.start()  # as a worker's process does
    connection.ensure_connection()
    ready.release()
    go.wait()
    began = time.monotonic()
    done = work(part)
    results.put((done, time.monotonic() - began))


def _fill_agents(part: int) -> int:
    from accounts.models import Agent, Channel
    from routing import dispatch

    agents = list(Agent.objects.order_by("pk").values_list("pk", flat=True))
    return sum(dispatch.fill(agent, Channel.CHAT) for agent in agents[part::WORKERS])


def _serve_each(part: int) -> list[float]:
    """Return the seconds of each single push."""
    from accounts.models import Agent, Channel
    from routing import dispatch

    spans: list[float] = []
    for agent in Agent.objects.order_by("pk").values_list("pk", flat=True):
        began = time.monotonic()
        if dispatch.serve(agent, Channel.CHAT):
            spans.append(time.monotonic() - began)
        if len(spans) == FEW:
            break
    return spans


def _free_slots(part: int) -> list[float]:
    """Close conversations on full desks; each call returns when the next one is on the desk."""
    from django.utils import timezone

    from accounts.models import User
    from conversations.lifecycle import actors, verbs
    from conversations.lifecycle.transitions import Status
    from conversations.models import CloseReason, Conversation

    closer = actors.agent(User.objects.order_by("pk")[0])
    active = Conversation.objects.filter(status=Status.ACTIVE).order_by("agent_id", "pk")
    spans = []
    for pk in list(active.values_list("pk", flat=True)[part :: WORKERS * 7][: FREED // WORKERS]):
        began = time.monotonic()
        verbs.close(pk, reason=CloseReason.RESOLVED, actor=closer, at=timezone.now())
        spans.append(time.monotonic() - began)
    return spans


def _enforce(part: int) -> int:
    from conversations.lifecycle import deadlines

    moved = 0
    at = deadlines.database_now()
    while some := deadlines.enforce_many(at=at):
        moved += some
    return moved


if __name__ == "__main__":
    sys.exit(main())
