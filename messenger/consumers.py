"""The visitors' sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.urls import path
from django.utils import timezone

from conversations.calls import exchange, frames
from conversations.calls.exchange import Party
from conversations.calls.signals import SIGNAL_BYTES
from conversations.calls.states import Side
from conversations.visitors import visitor_presence
from core.asgi.origins import OwnOriginOnly
from core.db import async_pool
from core.rates.windows import subject_of
from core.realtime.channel_groups import desk_group, push, visitor_group
from core.realtime.consumers import LiveConsumer
from core.realtime.socket_limits import OpenSockets
from messenger import tickets
from routing.bots import programs

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
    SELECT browsers.id AS browser, c.id, c.public_id, c.status = 'bot' AS is_with_bot,
        (SELECT v.withdrawn_at IS NULL FROM conversations_visitor v
        WHERE v.id = %(visitor)s) AS is_willing,
        (SELECT v.token_hash FROM conversations_visitor v WHERE v.id = %(visitor)s) AS token_hash,
        CASE WHEN c.status = 'active' THEN c.agent_id END AS agent_id,
        ARRAY(SELECT a.display_name FROM conversations_mirrorlook l
        JOIN accounts_agent a ON a.id = l.agent_id
        WHERE l.conversation_id = c.id AND l.ended_at IS NULL ORDER BY l.id) AS onlookers,
        EXISTS (SELECT FROM conversations_call k
        WHERE k.conversation_id = c.id AND k.ended_at IS NULL) AS is_in_call,
        (SELECT jsonb_build_object('id', s.id, 'name', a.display_name, 'allowed', s.allowed,
            'is_on', s.accepted_at IS NOT NULL)
        FROM conversations_cobrowsingsession s JOIN accounts_agent a ON a.id = s.agent_id
        WHERE s.conversation_id = c.id AND s.ended_at IS NULL) AS cobrowsing
    FROM browsers LEFT JOIN conversations_conversation c
        ON c.visitor_id = browsers.id AND c.status <> 'closed'
"""

# Of one visitor, a few tabs on each device; of one address, a school.
open_sockets = OpenSockets({"visitor": 20, "address": 500})
_farewells: set[asyncio.Task[None]] = set()


class MessengerConsumer(LiveConsumer):
    """One Messenger in one tab.

    ``talks`` maps each open conversation's public id to its number and the agent on whose desk it
    is. ``only`` is set if the Messenger was opened by a link in an e-mail. ``visitor_ids`` are the
    browsers of the same person; the socket receives the pushes of all their conversations.
    ``onlookers`` are the names of those who look at the visitor's page, by conversation, and
    ``cobrowsing`` the sessions in which one of them acts on it.
    """

    frame_bytes = SIGNAL_BYTES
    visitor_id: int
    visitor_ids: list[int]
    only: str | None
    is_willing: bool
    talks: dict[str, tuple[int, int | None]]
    holders: dict[str, str]
    onlookers: dict[str, list[str]]
    is_in_call: bool
    cobrowsing: dict[str, dict[str, Any]]

    async def authorize(self) -> tuple[str, ...] | None:
        ticket = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        holder = await sync_to_async(tickets.redeem)(ticket)
        if holder is None:
            return None
        self.visitor_id, self.only = holder.visitor_id, holder.only
        visitor_id = self.visitor_id
        rows = await self._join_and_read()
        if holder.token_hash not in {None, rows[0]["token_hash"]}:
            return None  # They logged out after the ticket was issued.
        self.is_willing = rows[0]["is_willing"]
        self.talks = {
            str(row["public_id"]): (row["id"], row["agent_id"])
            for row in rows
            if row["id"] is not None and self._may_hear(str(row["public_id"]))
        }
        self.onlookers = {
            str(row["public_id"]): row["onlookers"] for row in rows if row["onlookers"]
        }
        self.is_in_call = any(row["is_in_call"] for row in rows)
        self.cobrowsing = {
            str(row["public_id"]): row["cobrowsing"] for row in rows if row["cobrowsing"]
        }
        # Before the presence is renewed: it tells whether the visitor was away.
        if any(row["is_with_bot"] for row in rows):
            await self._tell_bots()
        for browser in self.visitor_ids:
            await visitor_presence.see(browser)
        await self._tell_desks(online=True)
        # Last: from here on, on_disconnect runs whatever happens.
        self.holders = {
            "visitor": str(visitor_id),
            "address": subject_of((self.scope.get("client") or ("",))[0]),
        }
        if not open_sockets.enter(**self.holders):
            return None
        return tuple(visitor_group(browser) for browser in self.visitor_ids)

    async def _join_and_read(self) -> list[dict[str, Any]]:
        """Join the groups of the person's browsers, then read their open conversations. In this
        order: a look, a call or a logout that came in between would never be told."""
        self.visitor_ids = [self.visitor_id]
        while True:
            await self.listen_to(*map(visitor_group, self.visitor_ids))
            rows = await async_pool.fetch_all(OPEN_CONVERSATIONS, {"visitor": self.visitor_id})
            browsers = {row["browser"] for row in rows} | {self.visitor_id}
            if browsers <= set(self.visitor_ids):
                return rows
            # Grows each time, so it ends. Mostly there is one browser, and one query.
            self.visitor_ids = sorted(browsers | set(self.visitor_ids))

    async def _tell_bots(self) -> None:
        """Inform the programs of bots that a visitor is back who was away."""
        if not await visitor_presence.is_online(self.visitor_id):
            back = database_sync_to_async(programs.visitor_returned)
            await back(self.visitor_ids, at=timezone.now())

    async def on_connect(self) -> None:
        for browser in self.visitor_ids:
            visitor_presence.watch().enter(browser)
        for public_id, names in self.onlookers.items():
            if self._may_hear(public_id):
                frame = {"type": "mirror", "conversation": public_id, "names": names}
                await self.send_frame(frame)
                # Also that there is no session: its end may have been missed.
                session = self.cobrowsing.get(public_id)
                request = {"type": "cobrowsing", "conversation": public_id, "session": session}
                await self.send_frame(request)
        if self.is_in_call:
            calls = await database_sync_to_async(frames.open_of_visitors)(self.visitor_ids)
            for public_id, call in calls:
                if self._may_hear(public_id):
                    await self.send_frame({"type": "call", "conversation": public_id, "call": call})

    async def on_disconnect(self, code: int) -> None:
        open_sockets.leave(**self.holders)
        for browser in self.visitor_ids:
            visitor_presence.watch().leave(browser)
        farewell = asyncio.create_task(self._say_farewell())
        _farewells.add(farewell)  # The loop keeps only weak references to tasks.
        farewell.add_done_callback(_farewells.discard)
        for browser in self.visitor_ids:
            await visitor_presence.linger(browser)

    async def _say_farewell(self) -> None:
        # Until then, the next page of the site may have taken over.
        await asyncio.sleep(visitor_presence.LINGER_SECONDS + 1)
        if not await visitor_presence.is_online(self.visitor_id):
            await self._tell_desks(online=False)

    async def on_receive(self, frame: dict[str, Any]) -> None:
        if not self.is_willing:
            return
        if frame.get("type") in ("signal", "in_call"):
            party = Party(Side.VISITOR, self.visitor_ids, self.only)
            answer = await exchange.receive(frame, party)
            if answer is not None:
                await self.send_frame(answer)
            return
        if frame.get("type") != "typing":
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
        if "logged_out" in event:
            await self._log_out(event["logged_out"])
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

    async def _log_out(self, visitor_id: int) -> None:
        """Close the sockets of the browser that has logged out: not those of the same person's
        other browsers, nor of a link in an e-mail, which still opens its conversation."""
        if visitor_id == self.visitor_id and self.only is None:
            await self.send_frame({"type": "logout"})
            await self.close(4401)

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
