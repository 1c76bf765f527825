"""The sockets by which visitors' browsers send their page to those who look at it.

They pass frames on unread. The first byte of a frame says whether a full snapshot begins.
"""

from __future__ import annotations

import secrets
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.urls import path

from conversations.mirroring import cobrowsing, looks
from conversations.mirroring.decisions import BURST_BYTES, CHUNK_BYTES, START, Meter
from conversations.models import Outcome
from core.asgi.origins import OwnOriginOnly
from core.rates.windows import subject_of
from core.realtime.channel_groups import (
    browser_recorders_group,
    push,
    push_bytes,
    recorders_group,
    viewers_group,
)
from core.realtime.consumers import LiveConsumer
from core.realtime.socket_limits import OpenSockets
from messenger import tickets

# Each holds frames on their way: fewer than of the Messenger's sockets.
open_sockets = OpenSockets({"visitor": 10, "address": 200})


class RecorderConsumer(LiveConsumer):
    """One tab whose page is recorded. Only the tab in front is passed on (``is_front``)."""

    number: int
    source: bytes
    meter: Meter
    is_by_link: bool
    holders: dict[str, str]
    is_front = False
    has_complained = False

    async def authorize(self) -> tuple[str, ...] | None:
        ticket = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        named = self.scope["url_route"]["kwargs"]["conversation"]
        holder = await database_sync_to_async(tickets.redeem)(ticket)
        if holder is None or holder.only not in {None, str(named)}:
            return None
        number = await database_sync_to_async(looks.recorded)(
            holder.visitor_id, named, token_hash=holder.token_hash
        )
        if number is None:
            return None
        self.number = number
        self.source = secrets.token_bytes(4)  # Tells the tabs of a visitor apart.
        self.meter = Meter(monotonic())
        self.is_by_link = holder.only is not None
        # Last: from here on, on_disconnect runs whatever happens.
        self.holders = {
            "visitor": str(holder.visitor_id),
            "address": subject_of((self.scope.get("client") or ("",))[0]),
        }
        if not open_sockets.enter(**self.holders):
            return None
        return (recorders_group(number), browser_recorders_group(holder.visitor_id))

    async def on_disconnect(self, code: int) -> None:
        open_sockets.leave(**self.holders)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if bytes_data is None:
            await super().receive(text_data, bytes_data)
        elif not 1 < len(bytes_data) <= CHUNK_BYTES:
            await self.close(4400)
        elif self.is_front:
            await self._pass_on(bytes_data)

    async def _pass_on(self, data: bytes) -> None:
        is_start = bool(data[0] & START)
        if self.meter.admits(len(data), is_start=is_start, now=monotonic()):
            self.has_complained = False
            await push_bytes(viewers_group(self.number), self.source + data, is_start=is_start)
        elif not self.has_complained:
            self.has_complained = True
            seconds = self.meter.seconds_until(BURST_BYTES // 2)
            await self.send_frame({"type": "slow", "ms": round(1000 * max(seconds, 1))})

    async def on_receive(self, frame: dict[str, Any]) -> None:
        match frame.get("type"):
            case "front":
                self.is_front = True
                await push(recorders_group(self.number), {"type": "behind"}, source=self.source)
            case "acted":
                await self._acted(frame.get("number"), frame.get("outcome"), frame.get("target"))
            case "hidden" | "large" | "blocked" as why:
                self.is_front = False
                await push(viewers_group(self.number), {"type": why})

    async def _acted(self, number: object, outcome: object, target: object) -> None:
        """What the browser did with an action of the agent, or why it refused."""
        if type(number) is not int or not isinstance(outcome, str) or not isinstance(target, str):
            return
        settle = database_sync_to_async(cobrowsing.settle)
        look_id = await settle(self.number, number, outcome=outcome, target=target)
        if look_id is not None:
            frame = {"type": "acted", "number": number, "outcome": outcome, "target": target[:200]}
            await push(viewers_group(self.number), frame, cobrowsing_look=look_id)

    async def frame(self, event: dict[str, Any]) -> None:
        if "logged_out" in event:
            # A link in an e-mail still opens its conversation.
            if not self.is_by_link:
                await self.close(4401)
            return
        if "page" in event:
            await self._pass_to_page(event)
            return
        if "source" in event:
            # All tabs hear the claims in one order, so that the last one is in front everywhere.
            if event["source"] == self.source:
                await self._come_to_the_front()
                return
            self.is_front = False
        await super().frame(event)
        # Nobody looks any more, so there is nothing to record.
        if event.get("names") == []:
            await self.close(1000)

    async def _pass_to_page(self, event: dict[str, Any]) -> None:
        """Pass on what the agent does, if this is the page they saw. Node ids are of one page."""
        if not self.is_front:
            return
        if event["page"] == self.source.hex():
            await super().frame(event)
        elif event["number"] is not None:
            await self._acted(event["number"], Outcome.CHANGED.value, "")

    async def _come_to_the_front(self) -> None:
        """An older claim of another tab may have dropped what was sent since."""
        was_front, self.is_front = self.is_front, True
        await self.send_frame({"type": "front"})
        if not was_front:
            await self.send_frame({"type": "snapshot"})


websocket_urlpatterns = [
    path(
        "ws/messenger/mirror/<uuid:conversation>/",
        OwnOriginOnly(RecorderConsumer.as_asgi()),
    ),
]
