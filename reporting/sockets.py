"""The boards' sockets: hints that something changed, for those who oversee."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.urls import path

from accounts.models import User
from conversations.layer import board_group
from conversations.origins import OwnOriginOnly
from conversations.sockets import LiveConsumer
from reporting.queries import websites_of


class BoardConsumer(LiveConsumer):
    heartbeat_seconds = 20

    async def admit(self) -> tuple[str, ...] | None:
        user = self.scope["user"]
        if not user.is_authenticated or not user.oversees:
            return None
        website_ids = await database_sync_to_async(self._websites)(user)
        return tuple(board_group(website_id) for website_id in website_ids)

    @staticmethod
    def _websites(user: User) -> list[int]:
        return list(websites_of(user).values_list("pk", flat=True))

    async def heartbeat(self) -> None:
        """A board whose user logged out or lost the right closes (N12)."""
        user = self.scope["user"]
        found = await User.objects.filter(pk=user.pk, is_active=True).afirst()
        session = self.scope["session"]
        alive = await database_sync_to_async(session.exists)(session.session_key)
        if found is None or not found.oversees or not alive:
            await self.send_frame({"type": "logout"})
            await self.close(4401)


websocket_urlpatterns = [
    path(
        "ws/board/",
        OwnOriginOnly(AuthMiddlewareStack(BoardConsumer.as_asgi())),
    ),
]
