"""What a piece of work is about: the conversation and the user, for its log records.

A request, a task or a reaction begins a context, and whoever learns more notes it there. The
context is one object, so that what a thread notes is known to the event loop as well. Only ids are
noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class LogContext:
    """``request`` is Django's, whose user may become known later."""

    conversation: str = ""
    user: int | None = None
    request: Any = None


_current: ContextVar[LogContext | None] = ContextVar("log_context", default=None)


@contextmanager
def begun(**known: Any) -> Iterator[LogContext]:
    """Begin a context for one piece of work."""
    before = _current.get()
    context = LogContext(**known)
    _current.set(context)
    try:
        yield context
    finally:
        _current.set(before)


def begin_task() -> None:
    """Begin a context in a worker, which does one task after the other."""
    _current.set(LogContext())


def note(*, conversation: object = None, user: int | None = None, request: Any = None) -> None:
    """Add what is known now; outside of a context, nothing is noted."""
    context = _current.get()
    if context is None:
        return
    if conversation is not None:
        context.conversation = str(conversation)
    if user is not None:
        context.user = user
    if request is not None:
        context.request = request


def current() -> LogContext:
    """Return the present context; an empty one outside of any."""
    return _current.get() or LogContext()
