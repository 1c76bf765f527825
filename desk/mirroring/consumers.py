"""The sockets by which agents look at the page of a conversation's visitor.

An open socket is a look, from when it opens until it closes.
"""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic
from typing import Any

from channels.db import database_sync_to_async
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.urls import path
from django.utils import timezone

from accounts import desk_session, session_monitor
from accounts.desk_session import DeskSession
from accounts.models import Agent, CobrowsingPermission
from conversations.mirroring import cobrowsing, looks, permissions, stored_looks
from conversations.mirroring.cobrowsing import CannotCobrowse
from conversations.mirroring.decisions import Window
from conversations.mirroring.looks import CannotLook
from conversations.mirroring.recording import Recording
from conversations.models import Conversation, LookEnd, MirrorLook, Outcome
from core.asgi.origins import OwnOriginOnly
from core.realtime.channel_groups import push, recorders_group, viewers_group
from core.realtime.consumers import LiveConsumer


class ViewerConsumer(LiveConsumer):
    """One look of one agent."""

    desk: DeskSession
    agent_id: int
    number: int
    look: MirrorLook | None = None
    is_over = False
    window: Window
    recording: Recording | None = None  # Where the website stores what agents see.
    parts = 0
    began = 0.0
    allowed: Collection[str] = ()  # What they may do on the page now (R191).

    async def authorize(self) -> tuple[str, ...] | None:
        session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        desk = await database_sync_to_async(desk_session.load)(session_key) if session_key else None
        if desk is None or desk.agent_id is None:
            return None
        self.desk, self.agent_id = desk, desk.agent_id
        self.number = self.scope["url_route"]["kwargs"]["number"]
        if not await database_sync_to_async(self._may_see)():
            return None
        self.window = Window()
        return (viewers_group(self.number),)

    def _may_see(self) -> bool:
        agent = Agent.objects.select_related("user").get(pk=self.agent_id)
        return Conversation.objects.visible_to(agent.user).filter(pk=self.number).exists()

    async def on_connect(self) -> None:
        """Begin the look. A refusal is told by a frame: browsers hide why a socket was closed."""
        session_monitor.monitor().add(self, self.desk, self._log_out)
        try:
            self.look = await database_sync_to_async(self._begin)()
        except CannotLook as refusal:
            await self.send_frame({"type": "refused", "why": refusal.obstacle.value})
            await self.close(4403)
            return
        self.began = monotonic()
        if await database_sync_to_async(stored_looks.is_stored)(self.look.pk):
            self.recording = Recording()
        await push(recorders_group(self.number), {"type": "snapshot"})

    def _begin(self) -> MirrorLook:
        agent = Agent.objects.select_related("user").get(pk=self.agent_id)
        return looks.begin(self.number, agent=agent, at=timezone.now())

    async def heartbeat(self) -> None:
        if self.look is None:
            return
        await self._write()
        if not await database_sync_to_async(looks.renew)(self.look.pk, at=timezone.now()):
            await self._over("revoked")

    async def on_disconnect(self, code: int) -> None:
        session_monitor.monitor().remove(self)
        if self.look is not None:
            await self._write()
            left = database_sync_to_async(looks.end)
            await left(self.look.pk, how=LookEnd.LEFT, at=timezone.now())

    async def _log_out(self) -> None:
        """The session has ended (N12)."""
        await self._over("revoked", code=4401)

    async def _over(self, why: str, *, code: int = 4403) -> None:
        """Tell it once: a heartbeat that ends the look also hears of it from the group."""
        if self.is_over:
            return
        self.is_over = True
        await self.send_frame({"type": "over", "why": why})
        await self.close(code)

    async def on_receive(self, frame: dict[str, Any]) -> None:
        match frame.get("type"):
            case "received":
                size = frame.get("bytes")
                if type(size) is int and self.window.received(size):
                    await push(recorders_group(self.number), {"type": "snapshot"})
            case "ask":
                await self._ask()
            case "leave" if self.look is not None:
                leave = database_sync_to_async(cobrowsing.leave)
                await leave(self.look.pk, at=timezone.now())
            case "point" if CobrowsingPermission.POINT in self.allowed:
                if (place := permissions.pointer(frame)) is not None:
                    await self._pass_on({"type": "point", **place}, frame)
            case "act":
                await self._act(frame)

    async def _ask(self) -> None:
        if self.look is None:
            return
        try:
            await database_sync_to_async(cobrowsing.ask)(self.look.pk, at=timezone.now())
        except CannotCobrowse as refusal:
            why = refusal.obstacle.value
            await self.send_frame({"type": "cobrowsing", "state": "refused", "why": why})

    async def _act(self, frame: dict[str, Any]) -> None:
        """Record an action and pass it on. What the server can refuse, it refuses here, whatever
        the desk shows; the visitor's browser decides the rest."""
        action, key = permissions.action(frame), frame.get("key")
        if action is None or self.look is None or action["kind"] not in self.allowed:
            await self._refuse(key)
            return
        act = database_sync_to_async(cobrowsing.act)
        recorded = await act(self.look.pk, action["kind"], at=timezone.now())
        if recorded is None:
            await self._refuse(key)
            return
        await self.send_frame({"type": "acting", "key": key, "number": recorded.number})
        number = recorded.number
        await self._pass_on({"type": "act", "number": number, **action}, frame, number=number)

    async def _refuse(self, key: object) -> None:
        if type(key) is int:
            await self.send_frame({"type": "acted", "key": key, "outcome": Outcome.NOT_ALLOWED})

    async def _pass_on(
        self, action: dict[str, Any], frame: dict[str, Any], *, number: int | None = None
    ) -> None:
        """To the tab whose page the agent saw: ``page`` are the four bytes before its frames."""
        page = frame.get("page")
        await push(recorders_group(self.number), action, page=str(page), number=number)

    async def chunk(self, event: dict[str, Any]) -> None:
        """Pass on a frame of the recorder, unless this viewer is too slow for it."""
        if self.look is not None and self.window.admits(
            len(event["data"]), is_start=event["is_start"]
        ):
            await self.send(bytes_data=event["data"])
            ms = round(1000 * (monotonic() - self.began))
            if self.recording is not None and self.recording.add(event["data"], ms=ms):
                await self._write()

    async def _write(self) -> None:
        """Store what was sent since the last part; stop storing if nothing more may be."""
        if self.look is None or self.recording is None or not (part := self.recording.part()):
            return
        self.parts += 1
        store = database_sync_to_async(stored_looks.store)
        if not await store(self.look.pk, self.parts, part, at=timezone.now()):
            self.recording = None

    async def frame(self, event: dict[str, Any]) -> None:
        if "look_ids" in event:
            if self.look is not None and self.look.pk not in event["look_ids"]:
                await self._over(await database_sync_to_async(looks.how_ended)(self.look.pk))
        elif "cobrowsing_look" in event:
            if self.look is not None and self.look.pk == event["cobrowsing_look"]:
                self.allowed = event.get("allowed", self.allowed)
                await super().frame(event)
        elif event.get("is_moved"):
            await self.heartbeat()
        else:
            await super().frame(event)


websocket_urlpatterns = [
    path(
        "ws/desk/mirror/<int:number>/",
        OwnOriginOnly(CookieMiddleware(ViewerConsumer.as_asgi())),
    ),
]
