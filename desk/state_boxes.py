"""State boxes: an agent's view of each of their conversations at a glance (R173-R181)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject, Left

from accounts.models import Agent
from conversations.inboxes.labels import channel_icon, channel_label
from conversations.lifecycle.transitions import Status
from conversations.models import Author, Conversation, Message, Style
from conversations.visitors import visitor_presence

EXCERPT = 160
"""How many characters of the last message are loaded; a box shows one line."""


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The last message: ``by`` is "visitor", "me", "agent" or "bot"."""

    by: str
    name: str
    text: str
    is_file: bool


@dataclass(frozen=True, slots=True)
class Box:
    """One conversation on the desk, or assigned to it."""

    number: int
    channel: str
    channel_label: str
    channel_icon: str
    is_by_inbox: bool
    visitor: str
    tint: int
    is_online: bool
    is_asynchronous: bool
    opened_at: datetime
    came_at: datetime
    answered_at: datetime | None
    waits_since: datetime | None
    last_message: LastMessage | None
    may_snooze: bool
    is_live: bool
    deadline_at: datetime | None
    last_seq: int

    @property
    def waits(self) -> bool:
        """Whether the visitor waits for an answer (R175)."""
        return self.waits_since is not None


def boxes(agent: Agent | None) -> tuple[list[Box], list[Box]]:
    """Return what is on the agent's desk, longest there first, and what is assigned to them."""
    if agent is None:
        return [], []
    mine = Conversation.objects.filter(agent=agent, status__in=[Status.ACTIVE, Status.ASSIGNED])
    rows = list(
        _with_last_message(mine).select_related("visitor", "inbox").order_by("moved_at", "pk")
    )
    online = visitor_presence.online([row.visitor_id for row in rows])
    on_desk = [_box(row, online, agent) for row in rows if row.status == Status.ACTIVE]
    assigned = [_box(row, online, agent) for row in rows if row.status == Status.ASSIGNED]
    return on_desk, assigned


def _with_last_message(rows: QuerySet[Conversation]) -> QuerySet[Any]:
    """Annotate ``last``, the last message of a person or bot. System messages do not count."""
    spoken = Message.objects.filter(conversation=OuterRef("pk")).exclude(author=Author.SYSTEM)
    fields = JSONObject(
        author="author",
        agent="agent_id",
        name="agent__display_name",
        text=Left("body", EXCERPT),
        file=F("attachment__name"),
    )
    return rows.annotate(last=Subquery(spoken.order_by("-seq").values(columns=fields)[:1]))


def _last_message(last: dict[str, Any] | None, agent: Agent) -> LastMessage | None:
    if last is None:
        return None
    by = "me" if last["author"] == Author.AGENT and last["agent"] == agent.pk else last["author"]
    return LastMessage(by, last["name"] or "", last["text"] or last["file"] or "", not last["text"])


def _box(row: Any, online: set[int], agent: Agent) -> Box:
    return Box(
        number=row.pk,
        channel=row.channel,
        channel_label=channel_label(row),
        channel_icon=channel_icon(row),
        is_by_inbox=row.inbox_id is not None,
        visitor=row.visitor.shown_name,
        tint=row.visitor.tint,
        is_online=row.visitor_id in online,
        is_asynchronous=row.is_asynchronous,
        opened_at=row.opened_at,
        came_at=row.moved_at,
        answered_at=row.last_agent_message_at,
        waits_since=row.visitor_waits_since,
        last_message=_last_message(row.last, agent),
        may_snooze=row.may_snooze,
        is_live=row.style == Style.LIVE,
        deadline_at=row.deadline_at,
        last_seq=row.last_seq,
    )
