"""The end of a web process, which nobody should notice.

A process that drains takes no new connections, answers what was asked, and asks its sockets to
connect again, to a process that stays. SIGTERM drains gently: sockets and idle connections are
closed one by one, because all at once would come back at once. SIGQUIT drains promptly, for a stop
of the whole product.
"""

from __future__ import annotations

import logging
import random
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

logger = logging.getLogger(__name__)

GENTLE_SECONDS = 4.0
GENTLE_PATIENCE = 30.0
PROMPT_PATIENCE = 5.0
EVERY_SECONDS = 0.1


class Drain(ABC):
    """Empties a server and then stops it. Everything runs in the server's event loop; what the
    servers differ in is in the methods without a body."""

    def __init__(self) -> None:
        self.is_draining = False
        self._spread = self._give_up_at = 0.0
        self._due: dict[Any, float] = {}
        """When a socket or an idle connection is closed, by the monotonic clock."""

    @abstractmethod
    def stop_listening(self) -> None: ...

    @abstractmethod
    def open_sockets(self) -> Iterator[Any]: ...

    @abstractmethod
    def idle_connections(self) -> Iterator[Any]:
        """Yield the connections that are open for a next request, of which nothing has come yet."""

    @abstractmethod
    def is_working(self) -> bool:
        """Return whether requests arrive or wait for their answer, or consumers say goodbye."""

    @abstractmethod
    def close_socket(self, socket: Any) -> None:
        """Close it with the code ``SERVICE_RESTART``."""

    @abstractmethod
    def close_connection(self, connection: Any) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def later(self, seconds: float, call: Callable[[], None]) -> None: ...

    @abstractmethod
    def soon(self, call: Callable[[], None]) -> None:
        """Let the event loop call it. Also safe in a handler of a signal."""

    def install(self) -> None:
        """Drain on SIGTERM and SIGQUIT. Call it in the main thread, once the event loop runs."""

        def on(number: signal.Signals, spread: float, patience: float) -> None:
            begin = lambda: self.begin(spread=spread, patience=patience)  # noqa: E731
            signal.signal(number, lambda *_: self.soon(begin))

        on(signal.SIGTERM, GENTLE_SECONDS, GENTLE_PATIENCE)
        on(signal.SIGQUIT, 0.0, PROMPT_PATIENCE)

    def begin(self, *, spread: float, patience: float) -> None:
        """Stop accepting, and close within ``spread`` seconds what only waits; after ``patience``
        seconds whatever is left is cut off. Calling it again shortens both, and never lengthens."""
        now = time.monotonic()
        give_up_at = now + patience
        if not self.is_draining:
            self.is_draining, self._give_up_at, self._spread = True, give_up_at, spread
            self.stop_listening()
            self._look()
        elif spread < self._spread:
            self._give_up_at, self._spread = min(self._give_up_at, give_up_at), spread
            self._due = dict.fromkeys(self._due, now)

    def _look(self) -> None:
        """Close what is due; stop once nothing is left, and otherwise look again."""
        now = time.monotonic()
        sockets, idle = list(self.open_sockets()), list(self.idle_connections())
        for socket in sockets:
            if now >= self._due.setdefault(socket, now + random.uniform(0, self._spread)):
                self.close_socket(socket)
        for connection in idle:
            # Until then most of them are used once more, and told with the answer.
            if now >= self._due.setdefault(connection, now + self._spread):
                self.close_connection(connection)
        if sockets or idle or self.is_working():
            if now < self._give_up_at:
                self.later(EVERY_SECONDS, self._look)
                return
            logger.warning("this process stops with work that does not end")
        self.stop()
