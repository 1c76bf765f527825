"""States of the builder's preview: moments of a conversation, as the server would send them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.respondent import Part

NAMES = {
    "begin": gettext_lazy("Before the first message"),
    "live": gettext_lazy("Before the first message, with an agent available"),
    "closed_now": gettext_lazy("Outside opening hours"),
    "waiting": gettext_lazy("After the first message"),
    "answered": gettext_lazy("In conversation"),
    "survey": gettext_lazy("Survey"),
    "over": gettext_lazy("End of the conversation"),
}
CONVERSATION = "00000000-0000-4000-8000-000000000001"


def scene(name: str, *, closing: str, at: datetime) -> dict[str, Any]:
    """Return what the Messenger gets instead of the server's answers, in the active language."""
    return {"known": name in MADE, "engagement": _engagement(name)} | _talk(name, closing, at)


def _engagement(name: str) -> dict[str, Any]:
    if name == "closed_now":
        return {"engage": False, "reason": "closed"}
    return {"engage": True, "asynchronous": name != "live"}


def _talk(name: str, closing: str, at: datetime) -> dict[str, Any]:
    if name not in MADE:
        return {"conversation": None, "messages": []}
    lines = MADE[name](closing)
    messages = [
        {
            "seq": number,
            "id": f"00000000-0000-4000-8000-{number:012}",
            "author": author,
            "name": _("Alice") if author == "agent" else "",
            "body": body,
            "at": (at - timedelta(minutes=len(lines) - number)).isoformat(timespec="milliseconds"),
        }
        for number, (author, body) in enumerate(lines, start=1)
    ]
    status = {"waiting": "waiting", "answered": "active"}.get(name, "closed")
    conversation = {
        "id": CONVERSATION,
        "status": status,
        "channel": "chat",
        "asynchronous": True,
        "agent": _agent(status),
        "last_seq": len(messages),
        "hidden_seq": 0,
        "read_by_agent": len(messages),
        "read_by_me": len(messages),
        "survey": name == "survey",
        "opened_at": at.isoformat(),
        "closed_at": at.isoformat() if status == "closed" else None,
        "place": 1 if status == "waiting" else None,
        "closed": False,
        "opens_at": None,
        "within": 5 if status == "waiting" else None,
    }
    return {"conversation": conversation, "messages": messages}


def _agent(status: str) -> dict[str, str] | None:
    parts = {"active": Part.TALKING, "closed": Part.ENDED}
    return {"name": _("Alice"), "part": parts[status].value} if status in parts else None


def _question(_closing: str) -> list[tuple[str, str]]:
    return [("visitor", _("Hello, is this lamp in stock?"))]


def _answered(closing: str) -> list[tuple[str, str]]:
    return [*_question(closing), ("agent", _("Hello! Yes, it leaves our workshop tomorrow."))]


def _ended(closing: str) -> list[tuple[str, str]]:
    last = [("agent", closing)] if closing else []
    return [*_answered(closing), ("visitor", _("Thank you!")), *last]


MADE: dict[str, Callable[[str], list[tuple[str, str]]]] = {
    "waiting": _question,
    "answered": _answered,
    "survey": _ended,
    "over": _ended,
}
