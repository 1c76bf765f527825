"""The agents' sockets: they show what is on a desk, and prove that the agent is connected."""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.urls import path
from django.utils import timezone

from accounts import desk_session, session_monitor
from accounts.desk_session import DeskSession
from conversations.agents import ownership
from conversations.calls import exchange, frames
from conversations.calls.exchange import Party
from conversations.calls.signals import SIGNAL_BYTES
from conversations.calls.states import Side
from core.asgi.origins import OwnOriginOnly
from core.db import async_pool
from core.realtime.channel_groups import desk_group, push, team_group, visitor_group
from core.realtime.consumers import LiveConsumer
from routing import presence

# Plain SQL: sockets run in the event loop, where the ORM cannot.
TEAMS = "SELECT group_id FROM accounts_group_members WHERE agent_id = %(agent)s"

# The usual heartbeat, in one round trip; all others go through ``presence.record_heartbeat``.
HEARD_AGAIN = f"{presence.HEARD_AGAIN} AND {desk_session.SESSION_VALID_SQL} RETURNING 1 AS yes"
STILL_LOGGED_IN = f"SELECT 1 AS yes WHERE {desk_session.SESSION_VALID_SQL}"


class DeskConsumer(LiveConsumer):
    """One desk on one device.

    ``talks`` maps the number of each conversation on this desk to its public id and its visitor.
    """

    heartbeat_seconds = presence.BEAT
    frame_bytes = SIGNAL_BYTES
    desk: DeskSession
    connection_id: uuid.UUID | None = None
    talks: dict[int, tuple[str, int]]

    async def authorize(self) -> tuple[str, ...] | None:
        session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        desk = await database_sync_to_async(desk_session.load)(session_key) if session_key else None
        if desk is None or desk.agent_id is None:
            return None
        self.desk = desk
        rows = await async_pool.fetch_all(ownership.ON_DESK, {"agent": desk.agent_id})
        self.talks = {row["id"]: (str(row["public_id"]), row["visitor_id"]) for row in rows}
        return (desk_group(desk.agent_id), *await self._teams())

    async def _teams(self) -> set[str]:
        rows = await async_pool.fetch_all(TEAMS, {"agent": self.desk.agent_id})
        return {team_group(row["group_id"]) for row in rows}

    async def on_connect(self) -> None:
        self.connection_id = uuid.uuid4()
        await database_sync_to_async(presence.connect)(
            self.desk.agent_id, self.connection_id, at=timezone.now()
        )
        session_monitor.monitor().add(self, self.desk, self._log_out)
        for number, name, call in await database_sync_to_async(frames.open_of_agent)(
            self.desk.agent_id
        ):
            frame = {"type": "call", "conversation": number, "name": name, "call": call}
            await self.send_frame(frame)

    async def heartbeat(self) -> None:
        """Keep the agent connected; a desk that is logged out sends no valid heartbeat."""
        values = {
            **self.desk.proof,
            "connection": self.connection_id,
            "at": timezone.now(),
            "grace": presence.GRACE,
        }
        if await async_pool.fetch_one(HEARD_AGAIN, values) is not None:
            return
        known = await database_sync_to_async(presence.record_heartbeat)(
            self.connection_id, at=timezone.now()
        )
        if not known or await async_pool.fetch_one(STILL_LOGGED_IN, values) is None:
            await self._log_out()

    async def _log_out(self) -> None:
        """The session has ended: make the page go to the login (N12)."""
        await self.send_frame({"type": "logout"})
        await self.close(4401)

    async def on_disconnect(self, code: int) -> None:
        session_monitor.monitor().remove(self)
        if self.connection_id is None:
            return
        await database_sync_to_async(presence.disconnect)(self.connection_id, at=timezone.now())

    async def on_receive(self, frame: dict[str, Any]) -> None:
        if frame.get("type") in ("signal", "in_call") and self.desk.agent_id is not None:
            party = Party(Side.AGENT, [self.desk.agent_id])
            answer = await exchange.receive(frame, party)
            if answer is not None:
                await self.send_frame(answer)
            return
        if frame.get("type") != "typing":
            return
        number = frame.get("conversation")
        talk = self.talks.get(number) if type(number) is int else None
        if talk is not None:
            public_id, visitor_id = talk
            typing = {
                "type": "typing",
                "conversation": public_id,
                "on": frame.get("on") is True,
                "name": self.desk.name,
            }
            await push(visitor_group(visitor_id), typing)

    async def frame(self, event: dict[str, Any]) -> None:
        if "number" in event:
            if event["visitor_id"] is None:
                self.talks.pop(event["number"], None)
            else:
                self.talks[event["number"]] = (event["public_id"], event["visitor_id"])
        await super().frame(event)
        if "has_new_teams" in event:
            await self.listen_to(desk_group(self.desk.agent_id), *await self._teams())


websocket_urlpatterns = [
    path(
        "ws/desk/",
        OwnOriginOnly(CookieMiddleware(DeskConsumer.as_asgi())),
    ),
]
