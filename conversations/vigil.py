"""Whether those who hold a socket are still logged in: asked for all sockets of a process at once.

A logout, another password, another role, a disabled account or a session that ran out closes every
live socket within five seconds (N12), for one short statement each ``SECONDS`` and not one for each
socket. What a socket shows is checked again by the page that fetches it; this is about what is
pushed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from accounts.passes import DeskPass
from conversations import pool

logger = logging.getLogger(__name__)

SECONDS = 3

ENDED = """
    SELECT DISTINCT t.session_key FROM unnest(
        %(session_keys)s::text[], %(user_ids)s::bigint[], %(passwords)s::text[], %(roles)s::text[]
    ) AS t(session_key, user_id, password, role)
    WHERE NOT EXISTS (
        SELECT FROM django_session s, accounts_user u
        WHERE s.session_key = t.session_key AND s.expire_date > now()
        AND u.id = t.user_id AND u.is_active AND u.password = t.password AND u.role = t.role
    )
"""

Farewell = Callable[[], Awaitable[None]]


class Vigil:
    """The sockets of one event loop, each with the pass by which it was opened and what to do when
    that is no longer good."""

    def __init__(self) -> None:
        self._sockets: dict[object, tuple[DeskPass, Farewell]] = {}
        self._task: asyncio.Task[None] | None = None

    def enter(self, socket: object, desk: DeskPass, farewell: Farewell) -> None:
        self._sockets[socket] = (desk, farewell)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self, socket: object) -> None:
        self._sockets.pop(socket, None)

    async def look(self) -> None:
        """Ask once, and part with those whose session is over."""
        passes = list({desk for desk, _ in self._sockets.values()})
        if not passes:
            return
        rows = await pool.fetch_all(
            ENDED,
            {
                "session_keys": [one.session_key for one in passes],
                "user_ids": [one.user_id for one in passes],
                "passwords": [one.password for one in passes],
                "roles": [one.role for one in passes],
            },
        )
        ended = {row["session_key"] for row in rows}
        for socket, (desk, farewell) in list(self._sockets.items()):
            if desk.session_key in ended:
                self.leave(socket)
                await farewell()

    async def _run(self) -> None:
        while self._sockets:
            await asyncio.sleep(SECONDS)
            try:
                await self.look()
            except Exception:
                logger.warning("sessions were not checked; the next look follows", exc_info=True)


_vigils: WeakKeyDictionary[asyncio.AbstractEventLoop, Vigil] = WeakKeyDictionary()


def vigil() -> Vigil:
    """The vigil of the running event loop."""
    return _vigils.setdefault(asyncio.get_running_loop(), Vigil())
