"""Transactions that PostgreSQL may ask to run again: after a deadlock or too long a wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

TRIES = 3
AGAIN = {"40P01", "40001", "55P03"}  # deadlock, serialization failure, lock timeout


def must_wait(error: OperationalError) -> bool:
    """Whether PostgreSQL only asks to try again: somebody else holds what is needed."""
    return getattr(error.__cause__, "sqlstate", None) in AGAIN


P = ParamSpec("P")
T = TypeVar("T")


def retried(function: Callable[P, T]) -> Callable[P, T]:
    """``transaction.atomic`` for a verb that many do at once: run again, three times at most.

    Inside another transaction it is run once: only the outermost can begin anew.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if not must_wait(error) or not left or connection.in_atomic_block:
                    raise
        raise AssertionError("unreachable")

    return run
