"""Begin, answer and end calls, and record them (R164).

Locks are taken in the order of all verbs: agent, conversation, call. Every step raises
``NoSuchStep`` if the call is in another state by now, as after a lost race.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Agent
from conversations.calls.channels import FOR_CALLS
from conversations.calls.decisions import Case, Obstacle, goes_back, obstacle
from conversations.calls.frames import frame_of
from conversations.calls.states import (
    LOST_SECONDS,
    OPEN,
    CallEnd,
    CallStatus,
    CallStep,
    NoSuchStep,
    Side,
    passage,
    step_to_end,
)
from conversations.facts import CallChanged, SlotFreed
from conversations.lifecycle import deadlines
from conversations.lifecycle.transitions import Status
from conversations.models import Call, Conversation
from conversations.visitors import blocks, persons
from core.events import bus

SILENCE = timedelta(seconds=LOST_SECONDS)


class CannotCall(Exception):
    """A side may not call the other now."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__(obstacle.value)


@dataclass(frozen=True, slots=True)
class Quality:
    """What a side has measured: lost packets in percent, round trip in milliseconds, and whether
    something comes from the other side."""

    loss: float | None = None
    round_trip: int | None = None
    is_connected: bool = False


def obstacle_for(
    conversation: Conversation, side: Side, *, is_there: bool, at: datetime
) -> Obstacle | None:
    """Return what keeps ``side`` from calling; ``is_there``: the other side can be reached."""
    return obstacle(_case(conversation, with_video=False, is_there=is_there, at=at))


@transaction.atomic
def begin(
    conversation_id: int,
    *,
    by: Side,
    agent_id: int | None = None,
    tab: uuid.UUID,
    with_video: bool,
    is_there: bool,
    at: datetime,
) -> Call:
    """Ring at the other side; raise ``CannotCall`` if it is not possible.

    ``agent_id`` is the agent who calls, ``None`` for a visitor. ``is_there``: the other side can be
    reached now.
    """
    # Read without a lock, because the agent's row is locked first; compared again under the locks.
    holder = Conversation.objects.values_list("agent", flat=True).get(pk=conversation_id)
    if holder is not None:
        Agent.objects.select_for_update(no_key=True).get(pk=holder)
    conversation = _lock(conversation_id)
    is_party = conversation.agent_id == holder and agent_id in {None, holder}
    in_the_way = obstacle(
        _case(conversation, with_video=with_video, is_there=is_there, at=at, is_party=is_party)
    )
    if in_the_way is not None or holder is None:
        raise CannotCall(in_the_way or Obstacle.NOT_ON_DESK)
    website = conversation.website
    call = Call(
        conversation=conversation,
        agent_id=holder,
        begun_by=by,
        has_video=with_video,
        room=_room(website.jitsi_url) if website.jitsi_url else "",
        status=CallStatus.RINGING,
        rang_at=at,
        deadline_at=at + timedelta(seconds=website.ring_seconds),
    )
    _take_part(call, by, tab=tab, at=at)
    call.save()
    _publish(call)
    return call


@transaction.atomic
def answer(call_id: uuid.UUID, *, by: Side, tab: uuid.UUID, at: datetime) -> Call:
    """Answer in this tab; only the side that was called can. The first of several tabs wins."""
    call = _lock_call(call_id)
    if by == call.begun_by or call.conversation.status != Status.ACTIVE:
        raise NoSuchStep(CallStatus(call.status), CallStep.ANSWER)
    _step(call, CallStep.ANSWER, at=at)
    call.answered_at = at
    _take_part(call, by, tab=tab, at=at)
    # Whoever called was not heard while it rang: their time begins now.
    _take_part(call, by.other, tab=getattr(call, f"{by.other}_tab"), at=at)
    call.deadline_at = at + SILENCE
    call.save()
    _publish(call)
    return call


@transaction.atomic
def resume(call_id: uuid.UUID, *, by: Side, tab: uuid.UUID, at: datetime) -> Call:
    """Go on in the tab that took part, as after it was loaded again."""
    call = _lock_call(call_id)
    if call.status not in OPEN or getattr(call, f"{by}_tab") != tab:
        raise NoSuchStep(CallStatus(call.status), CallStep.ANSWER)
    _hear(call, by, at=at)
    call.save()
    return call


@transaction.atomic
def end(call_id: uuid.UUID, *, by: Side, at: datetime, failed: bool = False) -> Call:
    """Decline, cancel or hang up, whichever the state asks for. ``failed``: the browsers could not
    reach each other, or there is no microphone."""
    call = _lock_call(call_id)
    status = CallStatus(call.status)
    step = CallStep.FAIL if failed else step_to_end(status, by=by, begun_by=Side(call.begun_by))
    _finish(call, step, by=by, at=at)
    return call


def renew(call_id: uuid.UUID, *, by: Side, tab: uuid.UUID, quality: Quality, at: datetime) -> bool:
    """Record that a side still takes part, and what it measured. Return false if the call is over
    or goes on in another tab; if its conversation has left the desk, it ends.

    A side that is connected speaks for the other, whose socket may be lost meanwhile.
    """
    with transaction.atomic():
        call = _lock_call(call_id)
        if call.status not in OPEN or getattr(call, f"{by}_tab") != tab:
            return False
        if _has_moved(call):
            _finish(call, CallStep.LEAVE, by=None, at=at)
            return False
        _hear(call, by, at=at)
        if quality.is_connected:
            _hear(call, by.other, at=at)
        if quality.loss is not None:
            setattr(call, f"{by}_loss", quality.loss)
        if quality.round_trip is not None:
            setattr(call, f"{by}_round_trip", quality.round_trip)
        call.save()
        return True


@transaction.atomic
def end_moved(conversation_id: int, *, at: datetime) -> bool:
    """End the call of a conversation that has left the agent's desk; return whether there was
    one."""
    # Looked for without a lock, because hardly any conversation that moves has a call.
    open_call = Call.objects.filter(conversation=conversation_id, ended_at=None).first()
    if open_call is None:
        return False
    call = _lock_call(open_call.public_id)
    if call.status not in OPEN or not _has_moved(call):
        return False
    _finish(call, CallStep.LEAVE, by=None, at=at)
    return True


# --- Deadlines -------------------------------------------------------------------------------


def past(at: datetime, limit: int = 500) -> list[uuid.UUID]:
    """Return the calls whose deadline has passed, the longest overdue first."""
    due = Call.objects.filter(deadline_at__lte=at).order_by("deadline_at")
    return list(due.values_list("public_id", flat=True)[:limit])


@transaction.atomic
def enforce(call_id: uuid.UUID, *, at: datetime) -> bool:
    """End a call whose deadline is still due at ``at`` (the database's clock). If the agent did not
    answer, the conversation may return to its queue (C25). Return whether it was due."""
    agent_id = Call.objects.values_list("agent", flat=True).get(public_id=call_id)
    Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    call = _lock_call(call_id)
    if call.deadline_at is None or call.deadline_at > at:
        return False
    if call.status == CallStatus.ANSWERED:
        _finish(call, CallStep.LOSE, by=_silent_side(call), at=at)
        return True
    _finish(call, CallStep.EXPIRE, by=None, at=at)
    conversation = call.conversation
    group = conversation.group
    if goes_back(
        end=CallEnd(call.end),
        begun_by=Side(call.begun_by),
        has_timer=group is not None and group.answer_seconds is not None,
        is_for_calls=conversation.channel in FOR_CALLS,
        is_on_desk=not _has_moved(call) and group is not None,
    ):
        deadlines.take_back(conversation, agent_id, at=at)
    return True


# --- Implementation --------------------------------------------------------------------------


def _case(
    conversation: Conversation,
    *,
    with_video: bool,
    is_there: bool,
    at: datetime,
    is_party: bool = True,
) -> Case:
    visitor, website = conversation.visitor, conversation.website
    open_calls = Call.objects.filter(ended_at=None)
    browsers = persons.browsers_of(visitor)
    others = open_calls.exclude(conversation=conversation)
    return Case(
        has_calls=website.has_calls,
        has_video=website.has_video_calls,
        wants_video=with_video,
        is_on_desk=conversation.status == Status.ACTIVE,
        is_party=is_party,
        has_consented=persons.is_willing(visitor),
        is_blocked=blocks.in_force(visitor, at=at).exists(),
        is_ongoing=open_calls.filter(conversation=conversation).exists(),
        is_busy=others.filter(agent=conversation.agent_id).exists()
        or others.filter(conversation__visitor__in=browsers).exists(),
        is_there=is_there,
    )


def _lock(conversation_id: int) -> Conversation:
    # of: websites, visitors and groups are only read.
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("website", "visitor", "group").get(pk=conversation_id)


def _lock_call(call_id: uuid.UUID) -> Call:
    """Lock the call's conversation and the call."""
    conversation_id = Call.objects.values_list("conversation", flat=True).get(public_id=call_id)
    conversation = _lock(conversation_id)
    rows = Call.objects.select_for_update(no_key=True, of=("self",)).select_related("agent")
    call = rows.get(public_id=call_id)
    call.conversation = conversation
    return call


def _room(base: str) -> str:
    """Return the address of a room whose name nobody can guess."""
    return f"{base.rstrip('/')}/causerie-{secrets.token_urlsafe(24)}"


def _has_moved(call: Call) -> bool:
    conversation = call.conversation
    return conversation.status != Status.ACTIVE or conversation.agent_id != call.agent_id


def _take_part(call: Call, side: Side, *, tab: uuid.UUID | None, at: datetime) -> None:
    setattr(call, f"{side}_tab", tab)
    setattr(call, f"{side}_heard_at", at)


def _hear(call: Call, side: Side, *, at: datetime) -> None:
    """A side takes part still. The other one's silence decides when the call is over."""
    setattr(call, f"{side}_heard_at", at)
    if call.status == CallStatus.ANSWERED:
        heard = [one for one in (call.visitor_heard_at, call.agent_heard_at) if one is not None]
        call.deadline_at = min(heard) + SILENCE


def _silent_side(call: Call) -> Side:
    visitor, agent = call.visitor_heard_at, call.agent_heard_at
    if visitor is None or agent is None:
        raise ValueError("both sides are heard when a call is answered")
    return Side.VISITOR if visitor <= agent else Side.AGENT


def _step(call: Call, step: CallStep, *, at: datetime) -> None:
    leads = passage(CallStatus(call.status), step)
    call.status = leads.status
    if leads.end is not None:
        call.end, call.ended_at, call.deadline_at = leads.end, at, None


def _finish(call: Call, step: CallStep, *, by: Side | None, at: datetime) -> None:
    _step(call, step, at=at)
    call.ended_by = by or ""
    call.save()
    _publish(call)
    bus.publish(SlotFreed(agent_id=call.agent_id))  # for what waits for a call


def _publish(call: Call) -> None:
    conversation = call.conversation
    bus.publish(
        CallChanged(
            conversation_id=conversation.pk,
            public_id=str(conversation.public_id),
            visitor_id=conversation.visitor_id,
            visitor_name=conversation.visitor.shown_name,
            agent_id=call.agent_id,
            call=frame_of(call),
        )
    )
