"""Saved test conversations: recorded from the live chat, played again at each publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from routing.bots.rehearsal import Played, Rehearsal, play
from routing.bots.scenario import Scenario
from routing.models import Bot, BotTest

LIMIT = 100  # test conversations of a bot


@dataclass(frozen=True, slots=True)
class Broken:
    """A test conversation that no longer goes as it was saved. ``expected`` and ``actual`` are the
    first steps that differ, empty where one of both has ended."""

    test: BotTest
    expected: str
    actual: str


def rehearsal_of(test: BotTest) -> Rehearsal:
    return Rehearsal(
        said=test.said,
        language=test.language,
        has_room=test.has_room,
        do_calls_succeed=test.do_calls_succeed,
        is_open=test.is_open,
    )


def record(
    bot: Bot, plan: Scenario, rehearsal: Rehearsal, *, name: str, at: datetime
) -> tuple[BotTest, Played]:
    """Save a rehearsal of the draft with the steps that it enters now."""
    played = play(plan, rehearsal)
    test = BotTest.objects.create(
        bot=bot,
        name=name,
        language=rehearsal.language,
        said=list(rehearsal.said),
        has_room=rehearsal.has_room,
        do_calls_succeed=rehearsal.do_calls_succeed,
        is_open=rehearsal.is_open,
        trail=list(played.trail),
        saved_at=at,
    )
    return test, played


def broken(bot: Bot, plan: Scenario) -> list[Broken]:
    """Play all test conversations of a bot in a scenario; return those that go another way."""
    outcomes = []
    for test in bot.tests.all():
        trail = play(plan, rehearsal_of(test)).trail
        if list(trail) != test.trail:
            outcomes.append(Broken(test, *_first_difference(test.trail, trail)))
    return outcomes


def _first_difference(expected: Sequence[str], actual: Sequence[str]) -> tuple[str, str]:
    # One of both may be the beginning of the other.
    pairs = zip_longest(expected, actual, fillvalue="")
    return next(((one, other) for one, other in pairs if one != other), ("", ""))
