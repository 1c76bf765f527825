"""The figures of deflection: what articles and bots answered without people."""

from __future__ import annotations

from django.db.models import FloatField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from conversations.models import CloseReason
from reporting.figures.flow import BEGUN_BY_BOT
from reporting.figures.measures import EVERY, Fold, Measure, count
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import ARTICLES_ANSWERED, ARTICLES_READ, CLOSED

DEFLECTION = "deflection"

NEVER_QUEUED = Q(queue__isnull=True)
FELL_SILENT = Q(close_reason=CloseReason.BOT_INACTIVITY)


@figure(
    report=DEFLECTION,
    label=_("Questions answered by articles"),
    unit=Unit.SUM,
    grows_better=True,
)
def articles_answered(scope: Scope) -> Measure:
    """How often visitors said, in the Messenger, that an article answered their question.

    These are numbers by article and day, without visitors: no conversation began. Each row is a
    day of an article. They have the language of the article, and no rule, group or agent; managers
    of some groups of a website do not see them.
    """
    return Measure(ARTICLES_ANSWERED, Fold.SUM, EVERY, Cast("answers", FloatField()))


@figure(report=DEFLECTION, label=_("Articles read"), unit=Unit.SUM)
def articles_read(scope: Scope) -> Measure:
    """How often visitors opened an article in the Messenger, before their first message.

    Counted as the questions answered by articles are. Public pages of articles count nothing.
    """
    return Measure(ARTICLES_READ, Fold.SUM, EVERY, Cast("reads", FloatField()))


@figure(report=DEFLECTION, label=_("Begun with a bot"))
def bot_begun(scope: Scope) -> Measure:
    """The conversations closed in the period that a bot started: with a scenario, or a program."""
    return count(CLOSED, BEGUN_BY_BOT)


@figure(report=DEFLECTION, label=_("Contained by a bot"), grows_better=True)
def bot_contained(scope: Scope) -> Measure:
    """The conversations closed in the period that a bot started and ended, without people.

    Neither those that entered a queue count, nor those whose visitor fell silent. Contained does
    not mean solved: open a row to read it.
    """
    return count(CLOSED, BEGUN_BY_BOT & NEVER_QUEUED & ~FELL_SILENT)


@figure(report=DEFLECTION, label=_("Silent visitors"), grows_better=False)
def bot_silent(scope: Scope) -> Measure:
    """The conversations closed in the period that a bot started and that the system closed because
    the visitor did not answer the bot (R37)."""
    return count(CLOSED, BEGUN_BY_BOT & NEVER_QUEUED & FELL_SILENT)


@figure(report=DEFLECTION, label=_("Passed on to people"))
def bot_passed_on(scope: Scope) -> Measure:
    """The conversations closed in the period that a bot started and that entered a queue of humans
    later."""
    return count(CLOSED, BEGUN_BY_BOT & ~NEVER_QUEUED)
