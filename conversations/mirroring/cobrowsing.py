"""Sessions in which an agent acts on the visitor's page, and the ledger of what they did (R191).

A session belongs to a look. All verbs that begin or end one lock the conversation's row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet

from accounts.models import Agent
from conversations.facts import CobrowsingChanged
from conversations.lifecycle.transitions import Status
from conversations.mirroring.permissions import CobrowsingObstacle, Request, obstacle
from conversations.models import (
    CobrowsingAct,
    CobrowsingEnd,
    CobrowsingSession,
    Conversation,
    MirrorLook,
    Outcome,
)
from core.events import bus

PATIENCE = timedelta(minutes=2)
"""How long a visitor has to answer."""

ACTS_AT_MOST = 2000
"""Of one session; a busy hour has a few hundred."""

REFUSED = (CobrowsingEnd.DECLINED, CobrowsingEnd.STOPPED)


class CannotCobrowse(Exception):
    """An agent may not ask to act on the page."""

    def __init__(self, obstacle: CobrowsingObstacle) -> None:
        self.obstacle = obstacle
        super().__init__(obstacle.value)


def obstacle_for(conversation: Conversation, agent: Agent) -> CobrowsingObstacle | None:
    """Return what stops ``agent``, who looks at the page, from asking to act on it."""
    sessions = CobrowsingSession.objects.filter(conversation=conversation)
    return obstacle(
        Request(
            permissions=conversation.website.cobrowsing_permissions,
            holds=_holds(conversation, agent.pk),
            is_open=sessions.filter(ended_at=None).exists(),
            refusals=sessions.filter(end__in=REFUSED).count(),
        )
    )


@transaction.atomic
def ask(look_id: int, *, at: datetime) -> CobrowsingSession | None:
    """Ask the visitor; return ``None`` if the look has ended, and raise ``CannotCobrowse`` if the
    agent may not."""
    look = MirrorLook.objects.select_related("agent").filter(pk=look_id, ended_at=None).first()
    if look is None:
        return None
    conversation = _lock(look.conversation_id)
    in_the_way = obstacle_for(conversation, look.agent)
    if in_the_way is not None:
        raise CannotCobrowse(in_the_way)
    session = CobrowsingSession.objects.create(
        look=look,
        conversation=conversation,
        agent=look.agent,
        allowed=conversation.website.cobrowsing_permissions,
        asked_at=at,
    )
    _publish(session)
    return session


@transaction.atomic
def answer(conversation_id: int, session_id: int, *, accepts: bool, at: datetime) -> bool:
    """The visitor accepts or declines; return whether there was still something to answer."""
    _lock(conversation_id)
    session = _open(conversation_id).filter(pk=session_id, accepted_at=None).first()
    if session is None:
        return False
    if not accepts:
        _end([session], CobrowsingEnd.DECLINED, at=at)
        return True
    _open(conversation_id).filter(pk=session_id).update(accepted_at=at)
    session.accepted_at = at
    _publish(session)
    return True


@transaction.atomic
def stop(conversation_id: int, *, at: datetime) -> None:
    """The visitor stops the session; the agent still sees the page."""
    _lock(conversation_id)
    _end(_open(conversation_id), CobrowsingEnd.STOPPED, at=at)


@transaction.atomic
def leave(look_id: int, *, at: datetime) -> None:
    """The agent ends their session, or takes back the question."""
    session = CobrowsingSession.objects.filter(look=look_id, ended_at=None).first()
    if session is not None:
        _lock(session.conversation_id)
        _end(_open(session.conversation_id).filter(look=look_id), CobrowsingEnd.LEFT, at=at)


def end_of_looks(look_ids: Iterable[int], how: CobrowsingEnd, *, at: datetime) -> None:
    """End the sessions of looks that end, whose conversation's row is locked."""
    _end(CobrowsingSession.objects.filter(look__in=list(look_ids), ended_at=None), how, at=at)


def renew(look: MirrorLook, conversation: Conversation, *, at: datetime) -> None:
    """End the look's session if it was not answered, or is no longer allowed. The conversation's
    row is locked."""
    for session in _open(conversation.pk).filter(look=look):
        if not _may(session, conversation):
            _end([session], CobrowsingEnd.REVOKED, at=at)
        elif session.accepted_at is None and at - session.asked_at > PATIENCE:
            _end([session], CobrowsingEnd.UNANSWERED, at=at)


@transaction.atomic
def act(look_id: int, kind: str, *, at: datetime) -> CobrowsingAct | None:
    """Record that the agent acts; return ``None`` if they may not do that now."""
    # The lock numbers the acts one after another.
    sessions = CobrowsingSession.objects.select_for_update(no_key=True, of=("self",))
    session = (
        sessions.select_related("conversation__website")
        .filter(look=look_id, ended_at=None)
        .exclude(accepted_at=None)
        .first()
    )
    if session is None or not _may(session, session.conversation):
        return None
    # What the visitor was shown, and what the website still allows today.
    if kind not in session.allowed or kind not in session.conversation.website.cobrowsing:
        return None
    last = session.acts.aggregate(last=Max("number"))["last"] or 0
    if last >= ACTS_AT_MOST:
        return None
    return session.acts.create(number=last + 1, at=at, kind=kind)


def settle(conversation_id: int, number: int, *, outcome: str, target: str) -> int | None:
    """Record what the visitor's browser did with an action; return the look of the agent. It is
    told once."""
    if outcome not in Outcome.values:
        return None
    acts = CobrowsingAct.objects.filter(
        session__conversation=conversation_id, session__ended_at=None, number=number, outcome=""
    )
    act = acts.select_related("session").first()
    # Of two tabs that answer, the first counts.
    if act is None or not acts.filter(pk=act.pk).update(outcome=outcome, target=target[:200]):
        return None
    return act.session.look_id


def open_session(conversation_id: int) -> CobrowsingSession | None:
    """Return the session of a conversation that is asked for or goes on."""
    return _open(conversation_id).first()


def past_of(conversation_id: int) -> list[CobrowsingSession]:
    """Return the ended sessions of a conversation, the last one first, with their actions."""
    ended = CobrowsingSession.objects.filter(conversation=conversation_id).exclude(ended_at=None)
    return list(ended.select_related("agent").prefetch_related("acts").order_by("-pk"))


def _may(session: CobrowsingSession, conversation: Conversation) -> bool:
    return bool(conversation.website.cobrowsing_permissions) and _holds(
        conversation, session.agent_id
    )


def _holds(conversation: Conversation, agent_id: int) -> bool:
    return conversation.status == Status.ACTIVE and conversation.agent_id == agent_id


def _lock(conversation_id: int) -> Conversation:
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("website").get(pk=conversation_id)


def _open(conversation_id: int) -> QuerySet[CobrowsingSession]:
    rows = CobrowsingSession.objects.filter(conversation=conversation_id, ended_at=None)
    return rows.select_related("agent", "conversation")


def _end(sessions: Iterable[CobrowsingSession], how: CobrowsingEnd, *, at: datetime) -> None:
    for session in list(sessions):
        rows = CobrowsingSession.objects.filter(pk=session.pk, ended_at=None)
        if rows.update(ended_at=at, end=how):
            session.ended_at, session.end = at, how
            _publish(session)


def _publish(session: CobrowsingSession) -> None:
    bus.publish(
        CobrowsingChanged(
            conversation_id=session.conversation_id,
            public_id=str(session.conversation.public_id),
            visitor_id=session.conversation.visitor_id,
            session_id=session.pk,
            look_id=session.look_id,
            agent_id=session.agent_id,
            name=session.agent.display_name,
            allowed=tuple(session.allowed),
            is_accepted=session.accepted_at is not None,
            end=session.end,
        )
    )
