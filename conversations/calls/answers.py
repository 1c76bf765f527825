"""What the views of both sides have in common: parsing, and the answer to a browser in a call."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from conversations.calls.decisions import Obstacle
from conversations.calls.frames import frame_of
from conversations.calls.states import Side
from conversations.models import Call
from core.rejection import Rejected


def tab_of(value: object) -> uuid.UUID:
    """Return the tab that a browser names; ``Rejected`` if it names none."""
    try:
        return uuid.UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise Rejected("invalid", _("The request is not valid."), 400) from None


def answer_of(call: Call, side: Side) -> dict[str, Any]:
    """Return the call, the servers by which this side reaches the other, and what it may do."""
    name = f"{side}-{call.public_id}"
    servers = None if call.room else settings.CALL_SERVERS.configuration(name, now=time.time())
    website = call.conversation.website
    shares = website.visitors_share_screen if side == Side.VISITOR else website.agents_share_screen
    return {
        "call": frame_of(call),
        "rtc": servers,
        "allowed": {"video": website.has_video_calls, "screen": shares},
    }


def over() -> Rejected:
    """Reject what comes too late, as after a lost race."""
    return Rejected("refused", _("This call is over, or was answered elsewhere."), 409)


def unknown() -> Rejected:
    return Rejected("not_found", _("This call does not exist."), 404)


def refusal(obstacle: Obstacle, side: Side) -> Rejected:
    """Return why ``side`` cannot call, in the reader's language."""
    return Rejected("refused", sentences(side)[obstacle], 409)


def sentences(side: Side) -> dict[Obstacle, str]:
    away = (
        _("The adviser is away at the moment. Please write a message.")
        if side == Side.VISITOR
        else _("The visitor is not on the site at the moment.")
    )
    busy = (
        _("The adviser is in another call. Please try again later or write a message.")
        if side == Side.VISITOR
        else _("You or the visitor are in another call.")
    )
    return {
        Obstacle.OFF: _("Calls are off for this website."),
        Obstacle.NO_VIDEO: _("Video calls are off for this website."),
        Obstacle.NOT_ON_DESK: _("You can call once an adviser has taken the conversation.")
        if side == Side.VISITOR
        else _("You can call while the conversation is on a desk."),
        Obstacle.NOT_YOURS: _("Only the agent of this conversation can call."),
        Obstacle.NO_CONSENT: _("The visitor has withdrawn their consent."),
        Obstacle.BLOCKED: _("This visitor is blocked."),
        Obstacle.ONGOING: _("There is a call already."),
        Obstacle.BUSY: busy,
        Obstacle.AWAY: away,
    }
