"""Begin and end looks at a visitor's page, and record them (R59, R188).

All of them lock the conversation's row: two agents who begin at once get different places.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from accounts import supervision
from accounts.models import Agent
from conversations.facts import LooksChanged
from conversations.lifecycle.transitions import Status
from conversations.mirroring import cobrowsing
from conversations.mirroring.decisions import Case, Obstacle, free_place, obstacle
from conversations.models import (
    CobrowsingEnd,
    ConsentKind,
    Conversation,
    LookEnd,
    MirrorLook,
    Visitor,
)
from conversations.visitors import persons
from core.events import bus

SILENCE = timedelta(seconds=45)
"""A look that has not been heard for so long is over."""

ENDS = {
    LookEnd.LEFT: CobrowsingEnd.LEFT,
    LookEnd.STOPPED: CobrowsingEnd.STOPPED,
    LookEnd.REVOKED: CobrowsingEnd.REVOKED,
    LookEnd.LOST: CobrowsingEnd.LEFT,
}
"""How the co-browsing session ends that belongs to a look."""


class CannotLook(Exception):
    """An agent may not look, or no longer."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__(obstacle.value)


def obstacle_for(conversation: Conversation, agent: Agent) -> Obstacle | None:
    """Return what stops ``agent`` from beginning a look."""
    taken = list(_open(conversation.pk).values_list("place", flat=True))
    return obstacle(_case(conversation, agent, taken))


@transaction.atomic
def begin(conversation_id: int, *, agent: Agent, at: datetime) -> MirrorLook:
    """Begin a look; raise ``CannotLook`` if the agent may not."""
    conversation = _lock(conversation_id)
    # A look whose desk has crashed holds a place until beat ends it.
    _end(_open(conversation_id).filter(heard_at__lt=at - SILENCE), LookEnd.LOST, at=at)
    taken = list(_open(conversation_id).values_list("place", flat=True))
    in_the_way, place = obstacle(_case(conversation, agent, taken)), free_place(taken)
    # ``obstacle`` has looked at the places, too; the second condition is for the type checker.
    if in_the_way is not None or place is None:
        raise CannotLook(in_the_way or Obstacle.FULL)
    look = MirrorLook.objects.create(
        conversation=conversation, agent=agent, place=place, began_at=at, heard_at=at
    )
    _publish(conversation)
    return look


@transaction.atomic
def renew(look_id: int, *, at: datetime) -> bool:
    """Record that the look goes on. If the agent may no longer look, end it and return false."""
    look = (
        MirrorLook.objects.select_related("agent__user").filter(pk=look_id, ended_at=None).first()
    )
    if look is None:
        return False
    conversation = _lock(look.conversation_id)
    # Without the places: this look has one.
    if obstacle(_case(conversation, look.agent, ())) is not None:
        _finish(conversation, [look_id], LookEnd.REVOKED, at=at)
        return False
    cobrowsing.renew(look, conversation, at=at)
    return bool(_open(conversation.pk).filter(pk=look_id).update(heard_at=at))


@transaction.atomic
def end(look_id: int, *, how: LookEnd, at: datetime) -> None:
    """End a look, unless it has ended."""
    look = MirrorLook.objects.filter(pk=look_id, ended_at=None).first()
    if look is not None:
        _finish(_lock(look.conversation_id), [look_id], how, at=at)


@transaction.atomic
def stop(conversation_id: int, *, at: datetime) -> None:
    """The visitor stops mirroring: nobody can look at this conversation from now on."""
    conversation = _lock(conversation_id)
    if conversation.mirroring_stopped_at is None:
        Conversation.objects.filter(pk=conversation_id).update(mirroring_stopped_at=at)
    _finish(
        conversation, _open(conversation_id).values_list("pk", flat=True), LookEnd.STOPPED, at=at
    )


def end_withdrawn(visitor_ids: Iterable[int], *, at: datetime) -> int:
    """The visitors have withdrawn consent: end the looks at their pages; return how many."""
    theirs = MirrorLook.objects.filter(ended_at=None, conversation__visitor__in=list(visitor_ids))
    ended = 0
    for conversation_id in list(theirs.values_list("conversation", flat=True).distinct()):
        with transaction.atomic():
            conversation = _lock(conversation_id)
            look_ids = list(_open(conversation_id).values_list("pk", flat=True))
            _finish(conversation, look_ids, LookEnd.REVOKED, at=at)
            ended += len(look_ids)
    return ended


def end_silent(*, at: datetime) -> int:
    """End the looks whose desk has fallen silent, as after a crash; return how many."""
    silent = MirrorLook.objects.filter(ended_at=None, heard_at__lt=at - SILENCE)
    ended = 0
    for conversation_id in list(silent.values_list("conversation", flat=True).distinct()):
        with transaction.atomic():
            conversation = _lock(conversation_id)
            late = _open(conversation_id).filter(heard_at__lt=at - SILENCE)
            # Asked again under the lock: one of them may have been heard meanwhile.
            ended += _end(late, LookEnd.LOST, at=at)
            _publish(conversation)
    return ended


def recorded(visitor_id: int, public_id: uuid.UUID, *, token_hash: str | None = None) -> int | None:
    """Return the number of the visitor's conversation, if somebody looks at it; else ``None``.
    ``token_hash`` is that of the token they showed, which a logout replaces."""
    visitor = Visitor.objects.get(pk=visitor_id)
    if token_hash not in {None, visitor.token_hash}:
        return None
    looks = MirrorLook.objects.filter(
        ended_at=None,
        conversation__public_id=public_id,
        conversation__visitor__in=persons.browsers_of(visitor),
    )
    return looks.values_list("conversation", flat=True).first()


def of_visitor(visitor_id: int, public_id: uuid.UUID) -> int | None:
    """Return the number of an open conversation of the visitor, or of the same person."""
    visitor = Visitor.objects.get(pk=visitor_id)
    mine = Conversation.objects.filter(visitor__in=persons.browsers_of(visitor))
    matches = mine.filter(public_id=public_id).exclude(status=Status.CLOSED)
    return matches.values_list("pk", flat=True).first()


def names_of(conversation_id: int) -> list[str]:
    """Return the names of those who look, in the order in which they began."""
    return list(_open(conversation_id).order_by("pk").values_list("agent__display_name", flat=True))


def how_ended(look_id: int) -> str:
    """Return how a look ended; "" if it goes on."""
    return MirrorLook.objects.values_list("end", flat=True).filter(pk=look_id).first() or ""


def past_of(conversation_id: int) -> list[MirrorLook]:
    """Return the ended looks of a conversation, the last one first."""
    ended = MirrorLook.objects.filter(conversation=conversation_id).exclude(ended_at=None)
    return list(ended.select_related("agent").order_by("-pk"))


def _case(conversation: Conversation, agent: Agent, taken: Iterable[int]) -> Case:
    consent = persons.last_consent(conversation.visitor)
    overseen = supervision.of(agent.user)
    return Case(
        is_on=conversation.website.mirrors_screen,
        is_closed=conversation.status == Status.CLOSED,
        holds=conversation.agent_id == agent.pk and conversation.status == Status.ACTIVE,
        oversees=agent.user.steers
        and overseen.covers(conversation.website_id, conversation.group_id),
        has_consented=consent is not None
        and consent.kind == ConsentKind.GIVEN
        and consent.covers_mirroring,
        is_stopped=conversation.mirroring_stopped_at is not None,
        taken=list(taken),
    )


def _lock(conversation_id: int) -> Conversation:
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("website", "visitor").get(pk=conversation_id)


def _open(conversation_id: int) -> QuerySet[MirrorLook]:
    return MirrorLook.objects.filter(conversation=conversation_id, ended_at=None)


def _finish(
    conversation: Conversation, look_ids: Iterable[int], how: LookEnd, *, at: datetime
) -> None:
    look_ids = list(look_ids)
    looks = _open(conversation.pk).filter(pk__in=look_ids)
    agent_ids = list(looks.values_list("agent", flat=True))
    cobrowsing.end_of_looks(look_ids, ENDS[how], at=at)
    if looks.update(ended_at=at, end=how):
        _publish(conversation, left=agent_ids)


def _end(looks: QuerySet[MirrorLook], how: LookEnd, *, at: datetime) -> int:
    """End looks when they were last heard."""
    cobrowsing.end_of_looks(looks.values_list("pk", flat=True), ENDS[how], at=at)
    return looks.update(ended_at=F("heard_at"), end=how)


def _publish(conversation: Conversation, *, left: Iterable[int] = ()) -> None:
    looks = list(
        _open(conversation.pk).order_by("pk").values_list("pk", "agent__display_name", "agent")
    )
    concerned = {conversation.agent_id, *left, *(agent_id for _pk, _name, agent_id in looks)}
    bus.publish(
        LooksChanged(
            conversation_id=conversation.pk,
            public_id=str(conversation.public_id),
            visitor_id=conversation.visitor_id,
            agent_ids=tuple(sorted(one for one in concerned if one is not None)),
            names=tuple(name for _pk, name, _agent_id in looks),
            look_ids=tuple(pk for pk, _name, _agent_id in looks),
        )
    )
