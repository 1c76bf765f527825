"""The figures of customer experience: survey answers and waiting times."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from reporting.figures.hours import while_open
from reporting.figures.measures import (
    Fold,
    Measure,
    balance,
    count,
    share,
    time_between,
)
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import ANSWERED, CLOSED, OFFERED

EXPERIENCE = "experience"
ASKED_HUMAN = Q(first_human_reply_at__isnull=False)


@figure(report=EXPERIENCE, label=_("Satisfaction (CSAT)"), unit=Unit.PERCENT, grows_better=True)
def csat(scope: Scope) -> Measure:
    """The share of the answers 4 and 5 among all answers, from 1 to 5, to the question about
    satisfaction (R79).

    An answer counts in the period in which it was given. Who left this question out does not
    count. It is put down to the agent who spoke last before the survey was offered.
    """
    return share(ANSWERED, Q(csat__gte=4), where=Q(csat__isnull=False))


@figure(report=EXPERIENCE, label=_("Recommendation (NPS)"), unit=Unit.POINTS, grows_better=True)
def nps(scope: Scope) -> Measure:
    """The share of the answers 9 and 10 less the share of the answers 0 to 6 to the question
    whether one would recommend us (R80).

    An answer counts in the period in which it was given; 7 and 8 count among the answers only.
    Who left this question out does not count.
    """
    rated = Q(nps__isnull=False)
    return balance(ANSWERED, plus=Q(nps__gte=9), minus=Q(nps__lte=6), where=rated)


@figure(report=EXPERIENCE, label=_("Response rate"), unit=Unit.PERCENT, grows_better=True)
def response_rate(scope: Scope) -> Measure:
    """The share of the surveys that were answered, among those that were offered in the period.

    A survey counts in the period in which it was offered, and as answered whenever the answer
    came: the figure of the last days may still rise. No survey is offered to a blocked visitor,
    nor where nobody answered.
    """
    return share(OFFERED, Q(answered_at__isnull=False))


@figure(report=EXPERIENCE, label=_("Comments"))
def comments(scope: Scope) -> Measure:
    """The answers to the survey that have a comment, in the period in which they were given."""
    return count(ANSWERED, ~Q(comment=""))


@figure(report=EXPERIENCE, label=_("First response"), unit=Unit.SECONDS, grows_better=False)
def first_response(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the first message of a human (R81, C29).

    Of conversations that were closed in the period; one that no human answered does not count. A
    bot's messages are not answers. Nights and weekends count: beside it stands the time in opening
    hours.
    """
    return time_between(CLOSED, "opened_at", "first_human_reply_at")


@figure(report=EXPERIENCE, label=_("First response, mean"), unit=Unit.SECONDS, grows_better=False)
def first_response_mean(scope: Scope) -> Measure:
    """The mean of the same times as the first response: a few that waited long weigh heavily."""
    return first_response(scope).folded(Fold.MEAN)


@figure(
    report=EXPERIENCE, label=_("First response, 9 of 10"), unit=Unit.SECONDS, grows_better=False
)
def first_response_p90(scope: Scope) -> Measure:
    """The 90th percentile of the same times as the first response: nine in ten had an answer
    sooner."""
    return first_response(scope).folded(Fold.P90)


@figure(
    report=EXPERIENCE,
    label=_("First response, opening hours"),
    unit=Unit.SECONDS,
    grows_better=False,
)
def first_response_open(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the first message of a human, counted
    only while the conversation's group was open (C29).

    The opening hours and holidays are those that held at the closure (C57). Where no group or no
    hours were set, every hour counts. Answered while closed: zero.
    """
    return while_open(
        CLOSED, "open_response_seconds", "opened_at", "first_human_reply_at", ASKED_HUMAN
    )


@figure(report=EXPERIENCE, label=_("Resolution"), unit=Unit.SECONDS, grows_better=False)
def resolution(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the closure (R82).

    Of conversations that were closed in the period, those included that a bot or the end of a
    snooze closed. Days of snooze and the return window after "solved" count: with conversations
    that may be carried on for days this time grows while their number falls (R153).
    """
    return time_between(CLOSED, "opened_at", "closed_at")


@figure(report=EXPERIENCE, label=_("Resolution, mean"), unit=Unit.SECONDS, grows_better=False)
def resolution_mean(scope: Scope) -> Measure:
    """The mean of the same times as the resolution: a few that took long weigh heavily."""
    return resolution(scope).folded(Fold.MEAN)


@figure(report=EXPERIENCE, label=_("Resolution, 9 of 10"), unit=Unit.SECONDS, grows_better=False)
def resolution_p90(scope: Scope) -> Measure:
    """The 90th percentile of the same times as the resolution: nine in ten were closed sooner."""
    return resolution(scope).folded(Fold.P90)


@figure(
    report=EXPERIENCE, label=_("Resolution, opening hours"), unit=Unit.SECONDS, grows_better=False
)
def resolution_open(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the closure, counted only while the
    conversation's group was open.

    The opening hours and holidays are those that held at the closure (C57). Where no group or no
    hours were set, every hour counts.
    """
    return while_open(CLOSED, "open_resolution_seconds", "opened_at", "closed_at")
