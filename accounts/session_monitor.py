"""A monitor that closes live sockets whose session has ended.

A logout, a changed password or role, a disabled account or an expired session closes every live
socket within five seconds (N12). One short query every ``SECONDS`` serves all sockets of a process.
This protects pushes only: views check the session of each request themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from accounts.desk_session import DeskSession
from accounts.logins import second_factors
from core.db import async_pool

logger = logging.getLogger(__name__)

SECONDS = 3

# Plain SQL: it runs in the event loop, where the ORM cannot, and checks all sockets at once.
ENDED = (
    """
    SELECT DISTINCT t.session_key FROM unnest(
        %(session_keys)s::text[], %(user_ids)s::bigint[], %(passwords)s::text[], %(roles)s::text[]
    ) AS t(session_key, user_id, password, role)
    WHERE NOT EXISTS (
        SELECT FROM django_session s, accounts_user u
        WHERE s.session_key = t.session_key AND s.expire_date > now()
        AND u.id = t.user_id AND u.is_active AND u.password = t.password AND u.role = t.role
        AND NOT """
    + second_factors.LACKS
    + """
    )
"""
)

OnEnded = Callable[[], Awaitable[None]]


class SessionMonitor:
    """The sockets of one event loop, each with the desk session that opened it and a callback that
    runs when that session ends."""

    def __init__(self) -> None:
        self._sockets: dict[object, tuple[DeskSession, OnEnded]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: object, desk: DeskSession, on_ended: OnEnded) -> None:
        self._sockets[socket] = (desk, on_ended)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, socket: object) -> None:
        self._sockets.pop(socket, None)

    async def check(self) -> None:
        """Query once and run the callback of each socket whose session has ended."""
        sessions = list({desk for desk, _ in self._sockets.values()})
        if not sessions:
            return
        rows = await async_pool.fetch_all(
            ENDED,
            {
                "session_keys": [one.session_key for one in sessions],
                "user_ids": [one.user_id for one in sessions],
                "passwords": [one.password for one in sessions],
                "roles": [one.role for one in sessions],
            },
        )
        ended = {row["session_key"] for row in rows}
        # A copy: while a callback is awaited, sockets come and go.
        for socket, (desk, on_ended) in list(self._sockets.items()):
            if desk.session_key in ended:
                self.remove(socket)
                await on_ended()

    async def _run(self) -> None:
        while self._sockets:
            await asyncio.sleep(SECONDS)
            try:
                await self.check()
            except Exception:
                logger.warning("could not check sessions, retrying", exc_info=True)


_monitors: WeakKeyDictionary[asyncio.AbstractEventLoop, SessionMonitor] = WeakKeyDictionary()


def monitor() -> SessionMonitor:
    """Return the monitor of the running event loop."""
    return _monitors.setdefault(asyncio.get_running_loop(), SessionMonitor())
