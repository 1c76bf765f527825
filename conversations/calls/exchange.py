"""What a socket does for the calls of its side: pass signals on, and record that it takes part.

A signal passes only between the two tabs of an answered call.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async

from conversations.calls import verbs
from conversations.calls.signals import signal_of
from conversations.calls.states import CallStatus, Side
from conversations.calls.verbs import Quality
from conversations.lifecycle.deadlines import database_now
from conversations.models import Call
from core.realtime.channel_groups import desk_group, push, visitor_group

MOST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Party:
    """Who is behind a socket: an agent, or the browsers of a visitor. ``only`` is the one
    conversation that a link in an e-mail opens."""

    side: Side
    ids: Sequence[int]
    only: str | None = None

    def is_of(self, call: Call) -> bool:
        conversation = call.conversation
        of_side = call.agent_id if self.side == Side.AGENT else conversation.visitor_id
        return of_side in self.ids and self.only in {None, str(conversation.public_id)}


async def receive(frame: dict[str, Any], party: Party) -> dict[str, Any] | None:
    """Handle a frame about a call; return the frame to answer with, if any."""
    call_id, tab = _uuid(frame.get("call")), _uuid(frame.get("tab"))
    if call_id is None or tab is None:
        return None
    if frame.get("type") == "signal":
        await _pass_on(call_id, tab, frame.get("data"), party)
    elif frame.get("type") == "in_call":
        quality = Quality(
            _percent(frame.get("loss")),
            _milliseconds(frame.get("round_trip")),
            frame.get("connected") is True,
        )
        renew = database_sync_to_async(_renew)
        if not await renew(call_id, tab, quality, party):
            return {"type": "call_over", "call": str(call_id)}
    return None


async def _pass_on(call_id: uuid.UUID, tab: uuid.UUID, data: object, party: Party) -> None:
    signal = signal_of(data)
    call = await database_sync_to_async(_call)(call_id, party) if signal else None
    if call is None or call.status != CallStatus.ANSWERED:
        return
    if getattr(call, f"{party.side}_tab") != tab:
        return
    to, conversation = party.side.other, call.conversation
    other_tab = str(getattr(call, f"{to}_tab"))
    frame = {"type": "signal", "call": str(call_id), "tab": other_tab, "data": signal}
    if to == Side.AGENT:
        await push(desk_group(call.agent_id), frame)
    else:
        frame["conversation"] = str(conversation.public_id)
        await push(visitor_group(conversation.visitor_id), frame)


def _call(call_id: uuid.UUID, party: Party) -> Call | None:
    """Return the call, if ``party`` is one of its two."""
    call = Call.objects.filter(public_id=call_id).select_related("conversation").first()
    return call if call is not None and party.is_of(call) else None


def _renew(call_id: uuid.UUID, tab: uuid.UUID, quality: Quality, party: Party) -> bool:
    if _call(call_id, party) is None:
        return False
    return verbs.renew(call_id, by=party.side, tab=tab, quality=quality, at=database_now())


def _uuid(value: object) -> uuid.UUID | None:
    try:
        # ``UUID`` also reads braces, URNs and texts without hyphens.
        return uuid.UUID(value) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None


def _percent(value: object) -> float | None:
    # Not ``isinstance``, for which true and false are numbers.
    is_number = type(value) in {int, float}
    return round(float(value), 2) if is_number and 0 <= value <= 100 else None  # type: ignore[arg-type, operator]


def _milliseconds(value: object) -> int | None:
    is_number = type(value) in {int, float}
    return round(value) if is_number and 0 <= value <= MOST_MS else None  # type: ignore[call-overload, operator]
