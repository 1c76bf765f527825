"""The explanation of a purchase's attribution, so that an agent who is paid by it can check it
(B20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts import supervision
from accounts.models import User
from accounts.moments import duration
from conversations.models import Author, Conversation, Message
from reporting.models import Transaction
from reporting.sales.attribution import AttributionResult

BEFORE, AFTER = 5, 2
EXCERPT = 120


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """An agent's message near the purchase. ``may_read`` is false for the deciding message if its
    conversation has moved to another team since: then only its author and moment are shown."""

    at: datetime
    agent: str
    conversation: int
    seq: int
    may_read: bool
    excerpt: str
    is_chosen: bool
    is_after: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """The reason in one sentence, and the messages before and after the purchase."""

    reason: str
    messages: tuple[ShownMessage, ...]
    more_before: bool


def visible_to(user: User) -> QuerySet[Transaction]:
    """Return the purchases that a user oversees; for agents, their own."""
    sales = Transaction.objects.select_related("website", "agent", "group", "visitor")
    if not user.is_active:
        return sales.none()
    if user.oversees:
        return sales.filter(supervision.rows_of(user))
    return sales.filter(agent__user=user)


def explained(sale: Transaction, reader: User) -> Explained:
    """Explain the attribution, with the last messages before the purchase and the first ones after
    it. Messages that ``reader`` may not read, such as those of other teams, are left out, except
    the deciding one."""
    messages = _messages(sale, reader)
    before = list(messages.filter(created_at__lte=sale.made_at).order_by(*NEWEST)[: BEFORE + 1])
    after = list(messages.filter(created_at__gt=sale.made_at).order_by(*OLDEST)[:AFTER])
    nearby = [*reversed(before[:BEFORE]), *after]
    numbers = {message.conversation_id for message in nearby}
    mine = Conversation.objects.visible_to(reader).filter(pk__in=numbers)
    readable = set(mine.values_list("pk", flat=True))
    return Explained(
        reason=_reason(sale),
        messages=tuple(_shown_message(sale, message, readable) for message in nearby),
        more_before=len(before) > BEFORE,
    )


OLDEST = ("created_at", "conversation", "seq")
NEWEST = ("-created_at", "-conversation", "-seq")


def _messages(sale: Transaction, reader: User) -> QuerySet[Message]:
    """Return what agents wrote to this customer, on any of their browsers."""
    replies = Message.objects.filter(author=Author.AGENT).select_related("agent")
    if sale.visitor is None:
        return replies.none()
    theirs = Q(conversation__visitor=sale.visitor)
    if sale.visitor.person_id is not None:
        theirs |= Q(conversation__visitor__person=sale.visitor.person_id)
    mine = Conversation.objects.visible_to(reader).order_by().values("pk")
    decided = Q(conversation=sale.conversation_id, seq=sale.message_seq)
    return replies.filter(
        theirs, decided | Q(conversation__in=mine), conversation__website=sale.website
    )


def _shown_message(sale: Transaction, message: Message, readable: set[int]) -> ShownMessage:
    key = (message.conversation_id, message.seq)
    may_read = message.conversation_id in readable
    is_chosen = key == (sale.conversation_id, sale.message_seq)
    return ShownMessage(
        at=message.created_at,
        agent=str(message.agent or ""),
        conversation=message.conversation_id,
        seq=message.seq,
        may_read=may_read,
        excerpt=Truncator(message.body).chars(EXCERPT) if may_read else "",
        is_chosen=is_chosen,
        is_after=message.created_at > sale.made_at,
    )


def _reason(sale: Transaction) -> str:
    elapsed = "" if sale.elapsed is None else duration(sale.elapsed)
    values = {"agent": sale.agent, "elapsed": elapsed, "delay": duration(sale.delay)}
    match sale.outcome:
        case AttributionResult.ATTRIBUTED:
            return (
                _(
                    "%(agent)s was the last to write before the purchase, %(elapsed)s "
                    "earlier. The delay was %(delay)s."
                )
                % values
            )
        case AttributionResult.TOO_LATE:
            return (
                _(
                    "The last answer was %(elapsed)s before the purchase, longer than "
                    "the delay of %(delay)s, so the purchase is not attributed."
                )
                % values
            )
        case AttributionResult.NO_ANSWER:
            return _(
                "No agent wrote to this customer before the purchase, so it is not attributed."
            )
    return _("The customer is unknown: the site reported no customer, or one who never wrote here.")
