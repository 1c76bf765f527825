"""The live chat: a rehearsal of the draft as the Messenger shows messages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from messenger.builder.preview_states import CONVERSATION
from routing.bots.rehearsal import Line, Played, Rehearsal
from routing.models import Bot

NAMESPACE = uuid.UUID("00000000-0000-4000-8000-000000000002")


def settings_of(
    sent: Mapping[str, str], languages: Sequence[str], said: Sequence[str] = ()
) -> Rehearsal:
    """Return how the draft is played; what is missing or unknown has its usual value."""
    language = sent.get("language", "")
    return Rehearsal(
        said=said,
        language=language if language in languages else languages[0],
        has_room=sent.get("room") != "no",
        do_calls_succeed=sent.get("calls") != "fail",
        is_open=sent.get("hours") != "closed",
    )


def conversation(bot: Bot, *, at: datetime) -> dict[str, Any]:
    """Return the conversation of the live chat as the Messenger gets it."""
    return {
        "id": CONVERSATION,
        "status": "bot",
        "asynchronous": False,
        "agent": None,
        "bot": {"name": bot.name, "picture": bot.picture_url},
        "last_seq": 0,
        "hidden_seq": 0,
        "read_by_agent": 0,
        "read_by_me": 0,
        "survey": False,
        "opened_at": at.isoformat(),
        "closed_at": None,
        "place": None,
        "closed": False,
        "opens_at": None,
        "within": None,
    }


def frames(bot: Bot, played: Played, ids: Sequence[uuid.UUID], *, at: datetime) -> dict[str, Any]:
    """Return all messages as the Messenger gets them, and the status of the conversation. ``ids``
    are those of the visitor's messages."""
    left = list(ids)
    shown = []
    for seq, line in enumerate(played.lines, start=1):
        own = left.pop(0) if line.author == "visitor" and left else None
        shown.append(
            {
                "seq": seq,
                "id": str(own or uuid.uuid5(NAMESPACE, str(seq))),
                "author": line.author,
                "name": bot.name if line.author == "bot" else "",
                "body": _body(line),
                "at": at.isoformat(timespec="milliseconds"),
            }
            | _offer(line)
        )
    notes = {line.note for line in played.lines}
    status = "closed" if "closed" in notes else "waiting" if "escalated" in notes else "bot"
    return {"messages": shown, "status": status}


def _offer(line: Line) -> dict[str, Any]:
    if not line.choices and not line.cards:
        return {}
    return {"offer": {"text": line.text, "choices": list(line.choices), "cards": list(line.cards)}}


def _body(line: Line) -> str:
    match line.note:
        case "escalated":
            return line.text or _("We are transferring you to one of our advisers.")
        case "no_room":
            return _("All our advisers are busy and the queue is full. Your message is saved here.")
        case "closed":
            return _("Conversation ended")
    return line.text or "\n".join(card["title"] for card in line.cards)
