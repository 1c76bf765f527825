"""What became of the conversations of a version or a program: figures, each with its
conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Avg, Count, Q, QuerySet

from conversations.lifecycle.transitions import Status
from conversations.models import CloseReason, Conversation, Survey
from routing.models import Bot, BotRun, BotVersion, Fault

SHOWN = 200  # conversations in a list


class Outcome(StrEnum):
    """How a conversation with a bot ended; each conversation has exactly one."""

    ESCALATED = "escalated"  # it went to people
    SILENT = "silent"  # it was closed because the visitor did not answer the bot
    CONTAINED = "contained"  # it ended with the bot in any other way
    RUNNING = "running"  # the bot still has it


# Of ``Conversation``. Whatever has been in a queue has gone to people.
PASSED_ON = Q(began_to_wait_at__isnull=False)
CONDITIONS: Mapping[Outcome, Q] = {
    Outcome.ESCALATED: PASSED_ON,
    Outcome.SILENT: ~PASSED_ON & Q(status=Status.CLOSED, close_reason=CloseReason.BOT_INACTIVITY),
    Outcome.CONTAINED: ~PASSED_ON
    & Q(status=Status.CLOSED)
    & ~Q(close_reason=CloseReason.BOT_INACTIVITY),
    Outcome.RUNNING: ~PASSED_ON & ~Q(status=Status.CLOSED),
}


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """The mean answer to the satisfaction question (1 to 5), and how many answered."""

    mean: float | None
    answers: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of conversations that began with a bot."""

    begun: int
    outcomes: Mapping[Outcome, int]
    after_bot: Satisfaction
    after_people: Satisfaction


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a version. ``entered`` and ``left`` count conversations by step: those that
    entered it at least once, and those that ended there without going to people."""

    totals: Totals
    entered: Mapping[str, int]
    left: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProgramFigures:
    """The figures of a program. ``faults`` count conversations by why people took over from it;
    ``refused`` are those in which an answer came after they had."""

    totals: Totals
    faults: Mapping[Fault, int]
    refused: int


def figures_of(version: BotVersion) -> Figures:
    """Return the figures of a version over its whole life."""
    entered, left = _by_step(version)
    return Figures(totals_of(conversations_of(version)), entered, left)


def program_figures_of(bot: Bot) -> ProgramFigures:
    """Return the figures of a bot's program over its whole life."""
    runs = bot.program_runs.order_by()
    counted = runs.exclude(fault="").values_list("fault").annotate(n=Count("pk"))
    return ProgramFigures(
        totals_of(conversations_with(bot)),
        {Fault(fault): n for fault, n in counted},
        runs.filter(late_answers__gt=0).count(),
    )


def totals_of(conversations: QuerySet[Conversation]) -> Totals:
    counted = conversations.aggregate(
        begun=Count("pk"),
        **{outcome.value: Count("pk", filter=CONDITIONS[outcome]) for outcome in Outcome},
    )
    return Totals(
        begun=counted["begun"],
        outcomes={outcome: counted[outcome.value] for outcome in Outcome},
        after_bot=_satisfaction(conversations, ~PASSED_ON),
        after_people=_satisfaction(conversations, PASSED_ON),
    )


def _by_step(version: BotVersion) -> tuple[Counter[str], Counter[str]]:
    """Return how many conversations entered each step, and how many ended at each."""
    entered: Counter[str] = Counter()
    left: Counter[str] = Counter()
    rows = BotRun.objects.filter(version=version).values_list(
        "trail", "conversation__status", "conversation__began_to_wait_at"
    )
    for trail, status, passed_on_at in rows.iterator():
        entered.update(set(trail))
        if trail and status == Status.CLOSED and passed_on_at is None:
            left[trail[-1]] += 1
    return entered, left


def _satisfaction(conversations: QuerySet[Conversation], condition: Q) -> Satisfaction:
    mine = conversations.filter(condition).order_by().values("pk")
    answered = Survey.objects.filter(conversation__in=mine, csat__isnull=False)
    totals = answered.aggregate(mean=Avg("csat"), answers=Count("pk"))
    return Satisfaction(totals["mean"], totals["answers"])


def conversations_of(version: BotVersion) -> QuerySet[Conversation]:
    """Return the conversations that began with a version, newest first."""
    return Conversation.objects.filter(bot_run__version=version).order_by("-opened_at", "-pk")


def conversations_with(bot: Bot) -> QuerySet[Conversation]:
    """Return the conversations that began with a bot's program, newest first."""
    return Conversation.objects.filter(program_run__bot=bot).order_by("-opened_at", "-pk")


def with_outcome(conversations: QuerySet[Conversation], outcome: Outcome) -> QuerySet[Conversation]:
    return conversations.filter(CONDITIONS[outcome])


def answered_survey(
    conversations: QuerySet[Conversation], *, after_people: bool
) -> QuerySet[Conversation]:
    """Return those whose visitor answered the satisfaction question, after the bot or after
    people."""
    answered = Survey.objects.filter(csat__isnull=False).order_by().values("conversation")
    return conversations.filter(PASSED_ON if after_people else ~PASSED_ON, pk__in=answered)


def that_entered(version: BotVersion, step: str) -> QuerySet[Conversation]:
    return conversations_of(version).filter(bot_run__trail__contains=[step])


def that_left_at(version: BotVersion, step: str) -> QuerySet[Conversation]:
    """Return the conversations that ended at a step without going to people."""
    runs = BotRun.objects.filter(version=version).exclude(trail=[]).values_list("pk", "trail")
    there = [pk for pk, trail in runs.iterator() if trail[-1] == step]
    closed = conversations_of(version).filter(~PASSED_ON, status=Status.CLOSED)
    return closed.filter(pk__in=there)
