"""Every figure equals a slow recount from the ledger, and the rows that it opens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings

from accounts import supervision
from accounts.models import Role, User
from accounts.supervision import EVERYTHING, Supervised
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.consistency import differences, windows
from conversations.models import CloseReason
from reporting import figures
from reporting.figures import answers, measures
from reporting.figures.answers import Answer
from reporting.figures.period import Period, TrendUnit, buckets, start_of
from reporting.figures.scope import Filters, Scope
from tests.clock import NOW
from tests.factories import UserFactory, queued, with_bot
from tests.reporting import reference
from tests.reporting.histories import START, World, histories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SOME_DAYS = Period(date(2035, 3, 24), date(2035, 3, 27))
ALL = list(figures.FIGURES.values())
lived = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed does not make a history simpler
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Forget(Exception):
    """Rolls back what a history has stored."""


def in_a_world(history: int, check: Callable[[World], None]) -> None:
    try:
        with transaction.atomic():
            world = World.make()
            world.live(history)
            check(world)
            raise Forget
    except Forget:
        pass


def check_answer(answer: Answer, name: str, worth: list[float]) -> None:
    wanted = reference.value_of(name.partition(" ")[0], worth)
    assert answer.n == len(worth), name
    if wanted is None:
        assert answer.value is None, name
    else:
        assert answer.value == pytest.approx(wanted, abs=1e-6), name


@given(history=histories)
@example(history=2)  # these three reach every figure
@example(history=5)
@example(history=6)
@lived
def test_every_figure_equals_a_slow_recount_of_the_ledger(history: int) -> None:
    def check(world: World) -> None:
        lives = reference.lives(world.websites, world.log, world.at)
        for period in (SOME_DAYS, Period(date(2035, 3, 25), date(2035, 3, 26))):
            scope = Scope(tuple(world.websites), period, supervised=EVERYTHING)
            totals = answers.total(ALL, scope)
            for name in figures.FIGURES:
                check_answer(totals[name], name, worth_of(name, lives, period))
                REACHED[name] += totals[name].n
        whole = Scope(tuple(world.websites), SOME_DAYS, supervised=EVERYTHING)
        check_cuts(whole, lives)
        check_filters(whole, lives)
        check_hours_of_the_week(whole, lives)
        check_supervision(world, lives)
        for user in (UserFactory(role=Role.ADMIN), manager_of(world, 0, 2)):
            check_rows(world, supervision.of(user))
        check_trends(world)
        assert [one for low, high in windows() for one in differences(low, high)] == []

    in_a_world(history, check)


REACHED: Counter[str] = Counter()


def test_the_histories_cover_every_figure() -> None:
    """Otherwise nothing would have been compared."""
    assert {name for name in figures.FIGURES if not REACHED[name]} == set()
    assert {name for name in figures.FIGURES if not LEFT_OUT[name]} == set()


def worth_of(
    name: str,
    lives: reference.Lives,
    period: Period,
    wanted: Callable[[reference.ReferenceRow], bool] = lambda line: True,
) -> list[float]:
    return reference.rows_of(name, lives, period.first, period.end, wanted)


def day_of(line: reference.ReferenceRow) -> date:
    return line.at.astimezone(line.life.website.zone).date()


def check_cuts(scope: Scope, lives: reference.Lives) -> None:
    cuts: tuple[tuple[answers.Cut, Callable[[reference.ReferenceRow], Any]], ...] = (
        (answers.BY_AGENT, lambda line: line.agent),
        (answers.BY_GROUP, lambda line: line.group),
        (answers.Cut.by_step(TrendUnit.DAY), day_of),
        (answers.BY_RULE, lambda line: line.life.engaged.rule),
        (answers.BY_STYLE, lambda line: line.life.engaged.style),
        (answers.BY_LANGUAGE, lambda line: line.life.engaged.language),
    )
    for by, key_of in cuts:
        for key, totals in answers.cut(ALL, scope, by).items():
            for name in figures.FIGURES:
                worth = worth_of(
                    name, lives, scope.period, lambda line, k=key, of=key_of: of(line) == k
                )
                check_answer(totals[name], f"{name} of {key}", worth)


def check_filters(scope: Scope, lives: reference.Lives) -> None:
    """Narrowed by how visitors were engaged, wherever a conversation went from there."""
    for engaged in {life.engaged for life in lives}:
        for name, value in asdict(engaged).items():
            totals = answers.total(ALL, replace(scope, filters=Filters(**{name: value})))
            for figure in figures.FIGURES:
                worth = worth_of(
                    figure,
                    lives,
                    scope.period,
                    lambda line, n=name, v=value: getattr(line.life.engaged, n) == v,
                )
                check_answer(totals[figure], f"{figure} of {name} {value}", worth)


def check_hours_of_the_week(scope: Scope, lives: reference.Lives) -> None:
    """In two zones, over a clock change."""
    for name in ("opened", "contacts", "wait"):
        wanted: dict[int, list[float]] = defaultdict(list)
        for line in reference.lines_of(name, lives, scope.period.first, scope.period.end):
            at = line.at.astimezone(line.life.website.zone)
            wanted[24 * at.weekday() + at.hour].append(line.worth)
        parts = answers.cut([figures.FIGURES[name]], scope, answers.BY_HOUR_OF_WEEK)
        assert set(parts) == set(wanted)
        for hour, worth in wanted.items():
            check_answer(parts[hour][name], f"{name} in hour {hour}", worth)


def manager_of(world: World, *numbers: int) -> User:
    user = UserFactory(role=Role.MANAGER)
    user.managed_groups.set([world.groups[number] for number in numbers])
    return user


def check_supervision(world: World, lives: reference.Lives) -> None:
    """Managers of one group of two, of the other, of groups on both websites, of all groups of a
    website: they read what belongs to these groups, and everything of a whole website."""
    first = world.websites[0].pk
    websites = tuple(world.websites)
    for numbers in ((0,), (1,), (0, 2), (0, 1)):
        groups = {world.groups[number].pk for number in numbers}
        whole = {world.websites[1].pk} if 2 in numbers else set[int]()
        whole |= {first} if {0, 1} <= set(numbers) else set()
        supervised = supervision.of(manager_of(world, *numbers))
        totals = answers.total(ALL, Scope(websites, SOME_DAYS, supervised=supervised))
        by_agent = answers.cut(
            ALL, Scope(websites, SOME_DAYS, supervised=supervised), answers.BY_AGENT
        )

        def sees(line: reference.ReferenceRow, mine: Any = (whole, groups)) -> bool:
            return line.life.website.pk in mine[0] or line.belongs_to(mine[1])

        for name in figures.FIGURES:
            lines = reference.lines_of(name, lives, SOME_DAYS.first, SOME_DAYS.end)
            mine = [line for line in lines if sees(line)]
            check_answer(
                totals[name], f"{name} of the groups {numbers}", [line.worth for line in mine]
            )
            for key, cells in by_agent.items():
                worth = [line.worth for line in mine if line.agent == key]
                check_answer(cells[name], f"{name} of {key} of the groups {numbers}", worth)
            LEFT_OUT[name] += len(lines) - len(mine)


LEFT_OUT: Counter[str] = Counter()


def check_rows(world: World, supervised: Supervised) -> None:
    """A figure counts the rows that it opens, and they fold to its value."""
    for filters in (
        Filters(),
        Filters(agent=world.agents[0].pk),
        Filters(group=world.groups[0].pk, style="social", language="fr"),
    ):
        scope = Scope(tuple(world.websites), SOME_DAYS, filters, supervised=supervised)
        totals = answers.total(ALL, scope)
        for one in ALL:
            measure = one.measure(scope)
            rows = list(scope.behind(measure))
            answer = totals[one.name]
            assert answer.n == len(rows), one.name
            again = measures.fold(
                measure.fold,
                [getattr(row, "worth", 1.0) for row in rows],
                [currency_of(row) for row in rows] if measure.currency else (),
                [row.weight for row in rows] if measure.weight is not None else (),
            )
            if again is None:
                assert answer.value is None, one.name
            else:
                assert answer.value == pytest.approx(again, abs=1e-6), one.name


def currency_of(row: Any) -> str:
    currency: str = getattr(row, "transaction", row).currency
    return currency


def check_trends(world: World) -> None:
    """A trend's counts add up, and Python finds the same buckets as PostgreSQL."""
    paris = world.websites[0]
    scope = Scope((paris,), SOME_DAYS, supervised=EVERYTHING)
    counted = [figures.FIGURES[name] for name in ("opened", "closed", "contacts")]
    whole = answers.total(counted, scope)
    for step in TrendUnit:
        trend = answers.trend(counted, scope, step)
        assert list(trend) == buckets(SOME_DAYS, step, paris.zone)
        for one in counted:
            assert sum(cell[one.name].n for cell in trend.values()) == whole[one.name].n
        for row in scope.behind(figures.FIGURES["opened"].measure(scope)):
            assert trend[start_of(step, row.opened_at, paris.zone)]["opened"].n > 0


def test_the_reference_covers_every_figure() -> None:
    assert set(reference.REFERENCES) == set(figures.FIGURES)


def test_without_a_website_nothing_is_counted() -> None:
    World.make().open(0)
    totals = answers.total(ALL, Scope((), SOME_DAYS, supervised=EVERYTHING))
    assert {answer.n for answer in totals.values()} == {0}
    assert totals["opened"].value == 0
    assert totals["csat"].value is None
    nowhere = Scope((), SOME_DAYS, supervised=EVERYTHING)
    assert {day["opened"].n for day in answers.trend(ALL, nowhere, TrendUnit.DAY).values()} == {0}
    assert answers.cut(ALL, nowhere, answers.BY_HOUR_OF_WEEK) == {}


def test_the_previous_period_and_the_rule_filter_narrow_the_count() -> None:
    world = World.make()
    for number, hours in ((0, 0), (1, 10), (0, 24)):
        world.at = START + timedelta(hours=hours)
        world.open(number)
    scope = Scope(
        tuple(world.websites), Period(date(2035, 3, 25), date(2035, 3, 26)), supervised=EVERYTHING
    )
    opened = [figures.FIGURES["opened"]]
    assert answers.total(opened, scope)["opened"].n == 2
    assert answers.total(opened, scope.before)["opened"].n == 1
    narrowed = replace(scope, filters=Filters(rule=world.steps[1].rule.pk))
    assert answers.total(opened, narrowed)["opened"].n == 1
    assert answers.total(opened, narrowed.before)["opened"].n == 0


def test_a_conversation_is_counted_for_the_rule_of_its_engagement() -> None:
    """Transferred to a group of another rule, to a group without a rule, or only ever with the
    bot."""
    world = World.make()
    first, second, _elsewhere = world.steps
    _stays, passed, given = [queued(first) for _ in range(3)]
    contained = with_bot(first)
    actor = actors.agent(world.agents[0].user)
    verbs.transfer_to_group(passed.pk, group=second.group, queue_id=second.pk, actor=actor, at=NOW)
    verbs.transfer_to_group(given.pk, group=second.group, queue_id=None, actor=actor, at=NOW)
    verbs.close(contained.pk, reason=CloseReason.BOT_ENDED, actor=actors.BOT, at=NOW)
    today = NOW.date()
    scope = Scope(tuple(world.websites), Period(today - DAY, today + DAY), supervised=EVERYTHING)
    wanted = [figures.FIGURES[name] for name in ("opened", "closed", "transfers", "containment")]
    (part,) = answers.cut(wanted, scope, answers.BY_RULE).items()
    narrowed = answers.total(wanted, replace(scope, filters=Filters(rule=first.rule_id)))
    assert part == (first.rule_id, narrowed)
    assert [narrowed[one.name].n for one in wanted] == [4, 1, 2, 1]
    # For a manager of groups that the rule does not lead to, the rule has no name.
    for number, counts in ((0, {first.rule_id: 1}), (1, {None: 2})):
        supervised = supervision.of(manager_of(world, number))
        read = answers.cut(wanted, replace(scope, supervised=supervised), answers.BY_RULE)
        assert {key: cells["opened"].n for key, cells in read.items()} == counts, number
