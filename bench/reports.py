"""``python -m bench.reports``: measure how long every figure takes on years of history.

Computes each registered figure over the last 30 days and the last 12 months on the database in
``DATABASE_URL``, which ``--make`` fills. (It leaves a website "Bench" there: do not use it on a
database in use.) Then measures each report's page, the production page, and the exports. Run it
with ``DEBUG=off``: otherwise Django stores every statement, and memory grows.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

# The models can be imported only after Django's setup.
from django.db.models import Count  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Role, User, Website  # noqa: E402
from accounts.supervision import EVERYTHING  # noqa: E402
from bench import history, rows  # noqa: E402
from conversations.models import Conversation  # noqa: E402
from reporting import figures as register  # noqa: E402
from reporting.exports import row_files, subjects  # noqa: E402
from reporting.exports.workbook import Row  # noqa: E402
from reporting.figures import answers  # noqa: E402
from reporting.figures.period import Period  # noqa: E402
from reporting.figures.scope import Scope  # noqa: E402
from reporting.reports import content  # noqa: E402

GROUPS, AGENTS, DAYS = 20, 100, 1095
PERIODS = {30: 0.5, 365: 2.0}
"""Days, and the promised seconds."""
PRODUCTION_SECONDS = 0.1
EXPORT_ROWS = 100_000
EXPORT_RATE = 20_000
EXPORT_SUBJECTS = ("closed", "conversations")
"""Thirteen columns, and twenty-six."""
PAGES = ("experience", "conversations", "agents", "transactions")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.reports", description=__doc__)
    parser.add_argument("--make", type=int, metavar="N", help="first make N conversations")
    parser.add_argument("--only", choices=["figures", "pages", "filters", "export"])
    options = parser.parse_args()
    if options.make:
        make(options.make)
    website = Website.objects.get(key="bench")
    parts = {"figures": _figures, "pages": _pages, "filters": _filters, "export": _export}
    results: dict[str, Any] = {"conversations": Conversation.objects.count()}
    missed = []
    for name, measure in parts.items():
        if options.only in {None, name}:
            results[name], late = measure(website)
            missed += late
    print(json.dumps(results, indent=1))
    for promise in missed:
        print("MISSED", promise)
    return 1 if missed else 0


def make(number: int, *, agents: int = AGENTS, days: int = DAYS) -> None:
    """Create a website with ``number`` conversations over some days."""
    rows.prepare(groups=GROUPS, agents=agents, slots=6)
    website = Website.objects.get(key="bench")
    history.make(number, website=website.pk, groups=GROUPS, agents=agents, days=days)


def _period(days: int) -> Period:
    today = timezone.now().date()
    return Period(today - timedelta(days=days), today)


def _figures(website: Website) -> tuple[dict[str, Any], list[str]]:
    """Measure each figure alone; return the milliseconds of its second computation."""
    results: dict[str, Any] = {}
    missed = []
    for figure in register.FIGURES.values():
        for days, promise in PERIODS.items():
            scope = Scope((website,), _period(days), supervised=EVERYTHING)
            for _again in range(2):
                began = time.perf_counter()
                answer = answers.total([figure], scope)[figure.name]
                seconds = time.perf_counter() - began
            results[f"{figure.name} {days}"] = [round(1000 * seconds), answer.n]
            if seconds > promise:
                missed.append(f"{figure.name}, {days} days: {seconds:.2f} s")
    return results, missed


def _pages(website: Website) -> tuple[dict[str, Any], list[str]]:
    """Measure whole pages, as the server renders them."""
    addresses = {"production": ("/reports/production/", PRODUCTION_SECONDS)}
    for days, promise in PERIODS.items():
        for page in PAGES:
            address = f"/reports/{page}/?period={days}&website={website.pk}"
            addresses[f"{page} {days}"] = (address, promise)
    return _timed(addresses)


def _filters(website: Website) -> tuple[dict[str, Any], list[str]]:
    """Measure each page over 12 months, narrowed by the most frequent value of each filter, and
    split by each."""
    addresses = {}
    for page in PAGES:
        address = f"/reports/{page}/?period=365&website={website.pk}"
        for name, value in _most(website).items():
            addresses[f"{page} of a {name}"] = (f"{address}&{name}={value}", PERIODS[365])
        for name in content.CUT_NAMES:
            addresses[f"{page} by {name}"] = (f"{address}&by={name}", PERIODS[365])
    return _timed(addresses)


def _most(website: Website) -> dict[str, Any]:
    """Return the most frequent value of each filter."""
    conversations = Conversation.objects.filter(website=website).order_by()
    columns = {
        "group": "group",
        "rule": "rule",
        "agent": "last_holder",
        "style": "style",
        "language": "language",
    }
    most: dict[str, Any] = {}
    for name, column in columns.items():
        counted = (
            conversations.exclude(**{column: None}).values_list(column).annotate(n=Count("pk"))
        )
        most[name], _n = counted.order_by("-n")[0]
    return most


def _timed(addresses: dict[str, tuple[str, float]]) -> tuple[dict[str, Any], list[str]]:
    """Return the milliseconds of each page: the median of four requests after a first one, and the
    longest."""
    boss, _is_new = User.objects.get_or_create(username="bench-boss", role=Role.ADMIN)
    client = Client()
    client.force_login(boss)
    results: dict[str, Any] = {}
    missed = []
    for name, (address, promise) in addresses.items():
        took = []
        for again in range(5):
            if again == 1:
                gc.collect()
                gc.freeze()  # as config.asgi does with what it has loaded
            began = time.perf_counter()
            status = client.get(address).status_code
            took.append(time.perf_counter() - began)
            if status != 200:
                raise SystemExit(f"{address} answers {status}: are ALLOWED_HOSTS and HTTPS set?")
        seconds = median(took[1:])
        results[name] = [round(1000 * seconds), round(1000 * max(took[1:]))]
        if seconds > promise:
            missed.append(f"page {name}: {seconds:.2f} s")
    return results, missed


def _export(website: Website) -> tuple[dict[str, Any], list[str]]:
    """Measure files of both kinds and subjects, as a worker writes them: rows per second of
    wall-clock time and of this process's CPU (the database has a process of its own), and how much
    memory grows with three times as many rows."""
    results: dict[str, Any] = {}
    missed = []
    for subject in EXPORT_SUBJECTS:
        for kind in row_files.WRITERS:
            rows, size, wall, cpu = _written(website, subject, kind, EXPORT_ROWS)
            before = _peak()
            _written(website, subject, kind, 3 * EXPORT_ROWS)
            results[f"{subject}.{kind}"] = {
                "rows": rows,
                "bytes": size,
                "rows a second": round(rows / wall),
                "rows a second of CPU": round(rows / cpu),
                "memory grown by, MB": round(_peak() - before, 1),
            }
            if rows / wall < EXPORT_RATE:
                missed.append(f"export {subject}.{kind}: {rows / wall:.0f} rows a second")
    return results, missed


def _written(website: Website, subject: str, kind: str, most: int) -> tuple[int, int, float, float]:
    """Return rows, bytes, and the seconds for about ``most`` rows: wall-clock time, and CPU
    time."""
    began, cpu = time.perf_counter(), time.process_time()
    sheet = subjects.sheet(subject, Scope((website,), _period(DAYS), supervised=EVERYTHING))
    count = 0

    def pieces() -> Iterator[list[Row]]:
        nonlocal count
        for piece in sheet.pieces:
            yield piece
            count += len(piece)
            if count >= most:
                return

    with tempfile.TemporaryFile() as file:
        row_files.WRITERS[kind](file, pieces(), sheet.title, sheet.headings)
        size = file.tell()
    return count, size, time.perf_counter() - began, time.process_time() - cpu


def _peak() -> float:
    """Return the peak memory of this process, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
