"""Another worker, for tests: a thread with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def elsewhere(act: Callable[[], Result]) -> Result:
    """Do it as another worker would, and return its result. It waits for locks of the caller for
    ``lock_timeout``, and raises then."""

    def run() -> Result:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run).result()
