"""The visitors' sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from django.urls import path

from conversations.visitors import visitor_presence
from core.asgi.origins import OwnOriginOnly
from core.db import async_pool
from core.realtime.channel_groups import desk_group, push, visitor_group
from core.realtime.consumers import LiveConsumer
from messenger import tickets

# One row for each browser of the same person and each of its open conversations. Plain SQL: it runs
# in the event loop, in one round trip at each connection.
OPEN_CONVERSATIONS = """
    WITH browsers AS (
        SELECT id FROM conversations_visitor WHERE id = %(visitor)s
        UNION
        (SELECT other.id FROM conversations_visitor mine
        JOIN conversations_visitor other ON other.person_id = mine.person_id
        WHERE mine.id = %(visitor)s ORDER BY other.id DESC LIMIT 20)
    )
    SELECT browsers.id AS browser, c.id, c.public_id,
        (SELECT v.withdrawn_at IS NULL FROM conversations_visitor v
        WHERE v.id = %(visitor)s) AS is_willing,
        CASE WHEN c.status = 'active' THEN c.agent_id END AS agent_id
    FROM browsers LEFT JOIN conversations_conversation c
        ON c.visitor_id = browsers.id AND c.status <> 'closed'
"""

_farewells: set[asyncio.Task[None]] = set()


class MessengerConsumer(LiveConsumer):
    """One Messenger in one tab.

    ``talks`` maps each open conversation's public id to its number and the agent on whose desk it
    is. ``only`` is set if the Messenger was opened by a link in an e-mail. ``visitor_ids`` are the
    browsers of the same person; the socket receives the pushes of all their conversations.
    """

    visitor_id: int
    visitor_ids: list[int]
    only: str | None
    is_willing: bool
    talks: dict[str, tuple[int, int | None]]

    async def authorize(self) -> tuple[str, ...] | None:
        ticket = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        holder = await sync_to_async(tickets.redeem)(ticket)
        if holder is None:
            return None
        self.visitor_id, self.only = holder.visitor_id, holder.only
        visitor_id = self.visitor_id
        rows = await async_pool.fetch_all(OPEN_CONVERSATIONS, {"visitor": visitor_id})
        self.is_willing = rows[0]["is_willing"]
        self.visitor_ids = sorted({row["browser"] for row in rows} | {visitor_id})
        self.talks = {
            str(row["public_id"]): (row["id"], row["agent_id"])
            for row in rows
            if row["id"] is not None and self._may_hear(str(row["public_id"]))
        }
        for browser in self.visitor_ids:
            await visitor_presence.see(browser)
        await self._tell_desks(online=True)
        return tuple(visitor_group(browser) for browser in self.visitor_ids)

    async def on_connect(self) -> None:
        for browser in self.visitor_ids:
            visitor_presence.watch().enter(browser)

    async def on_disconnect(self, code: int) -> None:
        for browser in self.visitor_ids:
            visitor_presence.watch().leave(browser)
            await visitor_presence.linger(browser)
        farewell = asyncio.create_task(self._say_farewell())
        _farewells.add(farewell)  # The loop keeps only weak references to tasks.
        farewell.add_done_callback(_farewells.discard)

    async def _say_farewell(self) -> None:
        await asyncio.sleep(visitor_presence.LINGER_SECONDS + 1)
        if not await visitor_presence.is_online(self.visitor_id):
            await self._tell_desks(online=False)

    async def on_receive(self, frame: dict[str, Any]) -> None:
        if frame.get("type") != "typing" or not self.is_willing:
            return
        named = frame.get("conversation")
        talk = self.talks.get(named) if isinstance(named, str) else None
        number, agent_id = talk or (None, None)
        if agent_id is not None:
            typing = {"type": "typing", "conversation": number, "on": frame.get("on") is True}
            await push(desk_group(agent_id), typing)

    async def frame(self, event: dict[str, Any]) -> None:
        if "is_willing" in event:  # for this socket only
            self.is_willing = event["is_willing"]
            return
        # A frame that names no conversation concerns all of them.
        named = self.only and json.loads(event["text"]).get("conversation")
        if named and not self._may_hear(named):
            return
        if "number" in event:
            before = self.talks.get(event["public_id"])
            self.talks[event["public_id"]] = (event["number"], event["agent_id"])
            if before is None or before[1] != event["agent_id"]:
                await self._tell_desks(online=True)
        await super().frame(event)

    def _may_hear(self, conversation: str) -> bool:
        return self.only is None or self.only == conversation

    async def _tell_desks(self, *, online: bool) -> None:
        for number, agent_id in self.talks.values():
            if agent_id is not None:
                frame = {"type": "presence", "conversation": number, "online": online}
                await push(desk_group(agent_id), frame)


# The Messenger's page is ours, in an iframe: its socket's origin is this host, not the brand's.
websocket_urlpatterns = [
    path("ws/messenger/", OwnOriginOnly(MessengerConsumer.as_asgi())),
]
