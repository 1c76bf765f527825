"""Transactions that are retried after a deadlock, a serialization failure or a lock timeout."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

TRIES = 3
RETRYABLE = {"40P01", "40001", "55P03"}  # deadlock, serialization failure, lock timeout


def may_retry(error: OperationalError) -> bool:
    """Return whether the transaction may succeed if retried: another one holds its locks."""
    return getattr(error.__cause__, "sqlstate", None) in RETRYABLE


P = ParamSpec("P")
T = TypeVar("T")


def retried(function: Callable[P, T]) -> Callable[P, T]:
    """Run ``function`` in ``transaction.atomic``, at most three times if PostgreSQL asks to retry.

    Inside another transaction it runs once: only the outermost one can be retried.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if not may_retry(error) or not left or connection.in_atomic_block:
                    raise
        raise AssertionError("unreachable")

    return run
