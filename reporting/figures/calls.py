"""The figures of calls: how many, how long, how soon answered, and how good they were."""

from __future__ import annotations

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from conversations.calls.states import CallStatus, Side
from reporting.figures.measures import Fold, Measure, count, share, time_between
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import CALLS

CALL = "calls"
BY_VISITOR = Q(begun_by=Side.VISITOR)
TALKED = Q(status=CallStatus.ENDED)
MEASURED_LOSS = Q(visitor_loss__isnull=False) | Q(agent_loss__isnull=False)
MEASURED_TRIP = Q(visitor_round_trip__isnull=False) | Q(agent_round_trip__isnull=False)


@figure(report=CALL, label=_("Calls"))
def calls(scope: Scope) -> Measure:
    """The calls that began to ring in the period and are over (R164).

    Calls from both sides count, with or without video, answered or not. A call is attributed to the
    agent who called or was called, and to the current group of its conversation.
    """
    return count(CALLS)


@figure(report=CALL, label=_("Calls by visitors"))
def calls_by_visitors(scope: Scope) -> Measure:
    """The calls of the period in which the visitor called."""
    return count(CALLS, BY_VISITOR)


@figure(report=CALL, label=_("Video calls"))
def video_calls(scope: Scope) -> Measure:
    """The calls of the period that started as video calls."""
    return count(CALLS, Q(has_video=True))


@figure(report=CALL, label=_("Calls answered"))
def calls_answered(scope: Scope) -> Measure:
    """The calls of the period in which both sides talked, however the call ended."""
    return count(CALLS, TALKED)


@figure(report=CALL, label=_("Calls missed by agents"), grows_better=False)
def calls_missed(scope: Scope) -> Measure:
    """The calls by visitors that no agent answered in time or that the visitor abandoned first.

    A call that the agent declined is counted separately.
    """
    return count(CALLS, BY_VISITOR & Q(status=CallStatus.MISSED))


@figure(report=CALL, label=_("Share missed by agents"), unit=Unit.PERCENT, grows_better=False)
def calls_missed_share(scope: Scope) -> Measure:
    """The share of the calls by visitors that no agent answered in time or that the visitor
    abandoned first."""
    return share(CALLS, Q(status=CallStatus.MISSED), where=BY_VISITOR)


@figure(report=CALL, label=_("Calls missed by visitors"))
def calls_missed_by_visitors(scope: Scope) -> Measure:
    """The calls by agents that the visitor did not answer in time or that the agent abandoned
    first."""
    return count(CALLS, Q(begun_by=Side.AGENT, status=CallStatus.MISSED))


@figure(report=CALL, label=_("Calls declined"))
def calls_declined(scope: Scope) -> Measure:
    """The calls of the period that the called side declined."""
    return count(CALLS, Q(status=CallStatus.DECLINED))


@figure(report=CALL, label=_("Calls failed"), grows_better=False)
def calls_failed(scope: Scope) -> Measure:
    """The calls of the period that the two browsers could not connect, or in which one side had no
    microphone.

    If there are many, a TURN server is missing or unreachable.
    """
    return count(CALLS, Q(status=CallStatus.FAILED))


@figure(report=CALL, label=_("Length of calls"), unit=Unit.SECONDS)
def call_length(scope: Scope) -> Measure:
    """The median time from answering a call to its end.

    Calls that were not answered or could not be connected do not count.
    """
    return time_between(CALLS, "answered_at", "ended_at", TALKED)


@figure(report=CALL, label=_("Time in calls"), unit=Unit.SECONDS)
def call_total(scope: Scope) -> Measure:
    """The total time from answering the calls of the period to their end."""
    return call_length(scope).folded(Fold.SUM)


@figure(report=CALL, label=_("Wait for the answer"), unit=Unit.SECONDS, grows_better=False)
def call_wait(scope: Scope) -> Measure:
    """The median time that calls by visitors rang until an agent answered.

    Earlier time in a queue is part of the conversation's wait.
    """
    return time_between(CALLS, "rang_at", "answered_at", BY_VISITOR & TALKED)


@figure(report=CALL, label=_("Lost packets"), unit=Unit.PERCENT, grows_better=False)
def call_loss(scope: Scope) -> Measure:
    """The mean share of packets that did not arrive, at the side where it was higher.

    Each browser compares what it received over the whole call with what it should have received.
    Above 5 per cent, words are missing. Calls in a Jitsi room are not measured.
    """
    worse = Greatest(Coalesce("visitor_loss", 0.0), Coalesce("agent_loss", 0.0))
    return Measure(CALLS, Fold.MEAN, TALKED & MEASURED_LOSS, worse)


@figure(report=CALL, label=_("Round trip"), unit=Unit.MILLISECONDS, grows_better=False)
def call_round_trip(scope: Scope) -> Measure:
    """The median time that sound takes to the other side and back, at the side where it was longer.

    Uses the last value that the browsers measured in each call. Above 400 ms, people interrupt each
    other. Calls in a Jitsi room are not measured.
    """
    longer = Greatest(Coalesce(F("visitor_round_trip"), 0), Coalesce(F("agent_round_trip"), 0))
    return Measure(CALLS, Fold.MEDIAN, TALKED & MEASURED_TRIP, longer)
