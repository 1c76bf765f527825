"""The boards' sockets: hints that something changed, for those who oversee."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.urls import path

from accounts import passes
from accounts.models import User
from accounts.rights import websites_of
from conversations import vigil
from conversations.layer import board_group
from conversations.origins import OwnOriginOnly
from conversations.sockets import LiveConsumer


class BoardConsumer(LiveConsumer):
    async def admit(self) -> tuple[str, ...] | None:
        user = self.scope["user"]
        if not user.is_authenticated or not user.oversees:
            return None
        website_ids = await database_sync_to_async(self._websites)(user)
        return tuple(board_group(website_id) for website_id in website_ids)

    @staticmethod
    def _websites(user: User) -> list[int]:
        return list(websites_of(user).values_list("pk", flat=True))

    async def entered(self) -> None:
        session_key = self.scope["session"].session_key
        seat = await database_sync_to_async(passes.issue)(session_key)
        if seat is None:
            await self._log_out()
        else:
            vigil.vigil().enter(self, seat, self._log_out)

    async def left(self, code: int) -> None:
        vigil.vigil().leave(self)

    async def _log_out(self) -> None:
        """The user logged out or lost the right (N12)."""
        await self.send_frame({"type": "logout"})
        await self.close(4401)


websocket_urlpatterns = [
    path(
        "ws/board/",
        OwnOriginOnly(AuthMiddlewareStack(BoardConsumer.as_asgi())),
    ),
]
