"""The process that sends webhooks: rounds in threads, at most one for each webhook.

Receivers that fail have threads of their own, so that those that hang cannot take the threads of
the others. It is no Celery task for the same reason: two that hang would hold all workers.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections

from conversations.webhooks import owed, rounds

logger = logging.getLogger(__name__)

HEALTHY, FAILING = 24, 8
POLL_SECONDS = 0.5
TROUBLE_SECONDS = 5.0
"""The pause after the database could not be asked."""


class Sender:
    """Looks for webhooks with work, and runs a round for each, until it is stopped."""

    def __init__(self) -> None:
        self._pools = {
            False: ThreadPoolExecutor(HEALTHY, "webhook"),
            True: ThreadPoolExecutor(FAILING, "failing-webhook"),
        }
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_stopped = False

    def stop(self) -> None:
        """Let the rounds that run end, and begin no others. A signal handler may call this."""
        self._is_stopped = True

    def run(self) -> None:
        while not self._is_stopped:
            # Before looking, so that a round that ends meanwhile is not overlooked.
            self._wake.clear()
            pause = self._turn()
            self._wake.wait(pause)
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def _turn(self) -> float:
        try:
            with_work = owed.with_work()
        except Exception:
            logger.exception("could not ask which webhooks have work")
            return TROUBLE_SECONDS
        finally:
            close_old_connections()
        for webhook_id, is_failing in with_work:
            with self._lock:
                if webhook_id in self._running:
                    continue
                self._running.add(webhook_id)
            self._pools[is_failing].submit(self._round, webhook_id)
        return POLL_SECONDS

    def _round(self, webhook_id: int) -> None:
        has_more = False
        try:
            if not self._is_stopped:
                has_more = rounds.run(webhook_id)
        except Exception:
            # One webhook must not stop the others; its lease ends by itself.
            logger.exception("the round of webhook %s failed", webhook_id)
        finally:
            close_old_connections()
            with self._lock:
                self._running.discard(webhook_id)
            if has_more:
                self._wake.set()
