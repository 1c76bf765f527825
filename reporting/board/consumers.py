"""The boards' WebSockets: hints that something changed, for those who oversee."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.urls import path

from accounts import desk_session, session_monitor
from accounts.models import User
from accounts.rights import websites_of
from core.asgi.origins import OwnOriginOnly
from core.realtime.channel_groups import board_group
from core.realtime.consumers import LiveConsumer


class BoardConsumer(LiveConsumer):
    async def authorize(self) -> tuple[str, ...] | None:
        user = self.scope["user"]
        if not user.is_authenticated or not user.oversees:
            return None
        website_ids = await database_sync_to_async(self._websites)(user)
        return tuple(board_group(website_id) for website_id in website_ids)

    @staticmethod
    def _websites(user: User) -> list[int]:
        return list(websites_of(user).values_list("pk", flat=True))

    async def on_connect(self) -> None:
        session_key = self.scope["session"].session_key
        seat = await database_sync_to_async(desk_session.load)(session_key)
        if seat is None:
            await self._log_out()
        else:
            session_monitor.monitor().add(self, seat, self._log_out)

    async def on_disconnect(self, code: int) -> None:
        session_monitor.monitor().remove(self)

    async def _log_out(self) -> None:
        """Close the socket after the user logged out or lost the right to see the board (N12)."""
        await self.send_frame({"type": "logout"})
        await self.close(4401)


websocket_urlpatterns = [
    path(
        "ws/board/",
        OwnOriginOnly(AuthMiddlewareStack(BoardConsumer.as_asgi())),
    ),
]
