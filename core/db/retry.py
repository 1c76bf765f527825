"""Which failures of PostgreSQL pass, and transactions that are retried after a deadlock, a
serialization failure or a lock timeout."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from django.db import Error, InterfaceError, OperationalError, connection, transaction

TRIES = 3
RETRYABLE = {"40P01", "40001", "55P03"}  # deadlock, serialization failure, lock timeout
# Shutdown, crash of another process, starting; too many connections; disk or memory full.
UNREACHABLE = {"57P01", "57P02", "57P03", "53300", "53100", "53200"}


def may_retry(error: OperationalError) -> bool:
    """Return whether the transaction may succeed if retried: another one holds its locks."""
    return getattr(error.__cause__, "sqlstate", None) in RETRYABLE


def is_unreachable(error: BaseException | None) -> bool:
    """Return whether PostgreSQL could not be reached, went away, or takes no connections now."""
    cause = error.__cause__ if isinstance(error, Error) else error
    if isinstance(error, InterfaceError) or isinstance(cause, psycopg.InterfaceError):
        return True  # "the connection is closed"
    if not isinstance(cause, psycopg.OperationalError):
        return False
    # Without a code the server has said nothing: refused, cut, timed out, or the pool is empty.
    return cause.sqlstate is None or cause.sqlstate[:2] == "08" or cause.sqlstate in UNREACHABLE


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
                # In an outer transaction the error has spoiled it all: only its owner can start
                # again.
                if not may_retry(error) or not left or connection.in_atomic_block:
                    raise
        raise AssertionError("unreachable")

    return run
