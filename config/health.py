"""Health probes: is this process up, can it serve, and what does it lack?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import UTC, datetime
from threading import Lock
from time import monotonic

from django.http import HttpRequest, HttpResponse, JsonResponse

from config import readiness
from config.monitoring_rights import may_read
from config.readiness import Check, Report, State
from config.version import version

logger = logging.getLogger(__name__)

CACHE_SECONDS = 2.0
PATIENCE_SECONDS = 5.0
"""How long a request waits for checks that are under way."""
WORDS = {State.OK: "ready", State.DEGRADED: "ready, but degraded", State.FAILED: "not ready"}

Answer = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: Answer) -> Answer:
    """Middleware that answers ``/healthz`` and ``/readyz`` before hosts and HTTPS are checked."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return _plain(200, "up")
        if request.path == "/readyz":
            return _answer(request, recent())
        return get_response(request)

    return middleware


class Checks:
    """The last report, for ``CACHE_SECONDS``: anybody may ask for ``/readyz``, and each report
    costs a connection to the database. Requests that come meanwhile wait for the same report."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._reading: Future[Report] | None = None
        self._read_at = float("-inf")
        self._troubles: list[tuple[str, State]] = []

    def recent(self) -> Report:
        reading = self._current()
        try:
            return reading.result(PATIENCE_SECONDS)
        except TookTooLong:
            slow = Check("database", State.FAILED, f"no answer within {PATIENCE_SECONDS:.0f} s")
            return Report((slow,), datetime.now(UTC))

    def _current(self) -> Future[Report]:
        with self._lock:
            # One that hangs is waited for: a second one would only hang beside it.
            is_old = monotonic() - self._read_at >= CACHE_SECONDS
            if self._reading is None or (self._reading.done() and is_old):
                self._reading = self._thread.submit(self._read)
                self._read_at = monotonic()
            return self._reading

    def _read(self) -> Report:
        report = readiness.read()
        troubled = report.troubled()
        # Each change once, and not every two seconds.
        if (now := [(check.name, check.state) for check in troubled]) != self._troubles:
            self._troubles = now
            for check in troubled:
                logger.warning("%s: %s: %s", WORDS[check.state], check.name, check.detail)
            if not troubled:
                logger.info("ready again")
        return report


_checks = Checks()


def recent() -> Report:
    """Return the last report of this process, at most ``CACHE_SECONDS`` old."""
    return _checks.recent()


def _answer(request: HttpRequest, report: Report) -> HttpResponse:
    """Answer with all details whoever may read ``/metrics``; others get the names alone, because
    the reasons name hosts and users."""
    status = 503 if report.state == State.FAILED else 200
    if not may_read(request):
        lines = [WORDS[report.state], *(check.name for check in report.troubled())]
        return _plain(status, "\n".join(lines))
    response = JsonResponse(
        {
            "status": WORDS[report.state],
            "version": version(),
            "checked_at": report.at.isoformat(timespec="milliseconds"),
            "checks": {
                check.name: {"state": check.state, "detail": check.detail}
                for check in report.checks
            },
        },
        status=status,
    )
    response["Cache-Control"] = "no-store"
    return response


def _plain(status: int, text: str) -> HttpResponse:
    response = HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
