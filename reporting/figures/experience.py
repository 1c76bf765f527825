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
    """The share of ratings of 4 and 5 among all ratings from 1 to 5 given to the satisfaction
    question (R79).

    An answer counts in the period in which it was given. Surveys that leave out this question do
    not count. It is attributed to the agent who wrote last before the survey was offered.
    """
    return share(ANSWERED, Q(csat__gte=4), where=Q(csat__isnull=False))


@figure(report=EXPERIENCE, label=_("Recommendation (NPS)"), unit=Unit.POINTS, grows_better=True)
def nps(scope: Scope) -> Measure:
    """The share of ratings of 9 and 10, minus the share of ratings from 0 to 6, given to the
    question whether customers would recommend us (R80).

    An answer counts in the period in which it was given. Answers of 7 and 8 count only in the
    total. Surveys that leave out this question do not count.
    """
    rated = Q(nps__isnull=False)
    return balance(ANSWERED, plus=Q(nps__gte=9), minus=Q(nps__lte=6), where=rated)


@figure(report=EXPERIENCE, label=_("Response rate"), unit=Unit.PERCENT, grows_better=True)
def response_rate(scope: Scope) -> Measure:
    """The share of the surveys offered in the period that were answered.

    A survey counts in the period in which it was offered, and as answered whenever the answer came,
    so the figure for recent days may still rise. Surveys are not offered to blocked visitors or
    where no one answered.
    """
    return share(OFFERED, Q(answered_at__isnull=False))


@figure(report=EXPERIENCE, label=_("Comments"))
def comments(scope: Scope) -> Measure:
    """The survey answers with a comment, in the period in which they were given."""
    return count(ANSWERED, ~Q(comment=""))


@figure(report=EXPERIENCE, label=_("First response"), unit=Unit.SECONDS, grows_better=False)
def first_response(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the first message of a human (R81, C29).

    Covers conversations closed in the period that a human answered. A bot's messages are not
    answers. Nights and weekends count. The time in opening hours is shown separately.
    """
    return time_between(CLOSED, "opened_at", "first_human_reply_at")


@figure(report=EXPERIENCE, label=_("First response, mean"), unit=Unit.SECONDS, grows_better=False)
def first_response_mean(scope: Scope) -> Measure:
    """The mean of the times that make up the first response. A few long waits raise it
    considerably.
    """
    return first_response(scope).folded(Fold.MEAN)


@figure(
    report=EXPERIENCE,
    label=_("First response, 90th percentile"),
    unit=Unit.SECONDS,
    grows_better=False,
)
def first_response_p90(scope: Scope) -> Measure:
    """The 90th percentile of the times that make up the first response: nine in ten visitors had an
    answer sooner.
    """
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

    Uses the opening hours and holidays in force at the closure (C57). If no group or no hours were
    set, every hour counts. An answer given while closed counts as zero.
    """
    return while_open(
        CLOSED, "open_response_seconds", "opened_at", "first_human_reply_at", ASKED_HUMAN
    )


@figure(report=EXPERIENCE, label=_("Resolution"), unit=Unit.SECONDS, grows_better=False)
def resolution(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the closure (R82).

    Covers conversations closed in the period, including those closed by a bot or at the end of a
    snooze. Days of snooze and the return window after "solved" count: when conversations can
    continue for days, this time grows while their number falls (R153).
    """
    return time_between(CLOSED, "opened_at", "closed_at")


@figure(report=EXPERIENCE, label=_("Resolution, mean"), unit=Unit.SECONDS, grows_better=False)
def resolution_mean(scope: Scope) -> Measure:
    """The mean of the times that make up the resolution. A few long conversations raise it
    considerably.
    """
    return resolution(scope).folded(Fold.MEAN)


@figure(
    report=EXPERIENCE, label=_("Resolution, 90th percentile"), unit=Unit.SECONDS, grows_better=False
)
def resolution_p90(scope: Scope) -> Measure:
    """The 90th percentile of the times that make up the resolution: nine in ten conversations
    closed sooner.
    """
    return resolution(scope).folded(Fold.P90)


@figure(
    report=EXPERIENCE, label=_("Resolution, opening hours"), unit=Unit.SECONDS, grows_better=False
)
def resolution_open(scope: Scope) -> Measure:
    """The median time from the visitor's first message to the closure, counted only while the
    conversation's group was open.

    Uses the opening hours and holidays in force at the closure (C57). If no group or no hours were
    set, every hour counts.
    """
    return while_open(CLOSED, "open_resolution_seconds", "opened_at", "closed_at")
