"""Random lives, then every setting is changed: no figure and no file of the past differs, and the
files add up to the figures (C57, B30)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import translation
from hypothesis import HealthCheck, Phase, example, given, settings

from accounts import supervision
from accounts.models import (
    Agent,
    AgentChannel,
    Channel,
    Group,
    Holiday,
    OpeningHours,
    Role,
    User,
    Website,
)
from accounts.supervision import EVERYTHING, Supervised
from conversations.lifecycle import actors, verbs
from conversations.lifecycle.consistency import differences, windows
from conversations.lifecycle.transitions import Refused
from conversations.models import Conversation, StatusInterval
from reporting import figures
from reporting.exports import conversations as one_each
from reporting.exports import row_files
from reporting.figures import answers, measures
from reporting.figures.measures import Fold
from reporting.figures.period import Period, TrendUnit
from reporting.figures.scope import Filters, Scope
from reporting.reports import breakdowns, content, row_lists, sheets
from reporting.reports.omitted_surveys import omitted
from routing import presence
from routing.models import DistributionRule, RuleStep
from tests.factories import AgentFactory, UserFactory
from tests.reporting.histories import QUARTER, World, histories

pytestmark = pytest.mark.django_db
EVE = datetime(2025, 3, 29, 18, tzinfo=UTC)
"""In Paris the evening before the clocks go forward. In the past, because settings are changed
today, after it."""
DAYS = Period(date(2025, 3, 29), date(2025, 4, 2))
ALL = list(figures.FIGURES.values())
lived = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = {"Website", "Rule", "Group", "Agent", "First group", "First agent"}
"""Columns of labels, which follow renames."""


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Use English names of columns."""
    with translation.override("en"):
        yield


class Forget(Exception):
    """Rolls back what a history has stored."""


def in_a_past_world(history: int, check: Callable[[World], None]) -> None:
    with suppress(Forget), transaction.atomic():
        world = World.make()
        world.at = EVE
        world.live(history)
        act_without_contacts(world)
        check(world)
        raise Forget


def act_without_contacts(world: World) -> None:
    """A manager without a desk transfers conversations; an agent is only present."""
    boss = UserFactory(role=Role.MANAGER, username="boss")
    for one in Conversation.objects.filter(pk__in=world.opened, status="queued"):
        with suppress(Refused):
            verbs.transfer_to_group(
                one.pk,
                group=one.group,
                queue_id=one.queue_id,
                actor=actors.manager(boss),
                at=world.at,
            )
    idle = AgentFactory(user__username="idle")
    idle.groups.add(world.groups[1])
    AgentChannel.objects.update_or_create(agent=idle, channel=Channel.CHAT, defaults={"slots": 1})
    presence.connect(idle.pk, uuid.uuid4(), at=world.at)
    world.at += 5 * QUARTER
    presence.log_out(idle.pk, at=world.at)


def supervisions(world: World) -> Iterator[Supervised]:
    """An administrator's, and that of a manager of some groups."""
    yield EVERYTHING
    user = UserFactory(role=Role.MANAGER)
    user.managed_groups.set([world.groups[number] for number in (1, 2)])
    yield supervision.of(user)


def all_results(pks: list[int], supervised: Supervised) -> dict[str, Any]:
    """Return every figure whole, split and by time, and every row of every file; by keys, not by
    names."""
    scope = Scope(
        tuple(Website.objects.filter(pk__in=pks).order_by("pk")), DAYS, supervised=supervised
    )
    results: dict[str, Any] = {"total": answers.total(ALL, scope)}
    for by, (cut, _namer) in content.CUTS.items():
        results[f"by {by}"] = answers.cut(ALL, scope, cut)
    for step in (TrendUnit.HOUR, TrendUnit.DAY):
        results[f"by {step}"] = answers.trend(ALL, scope, step)
    results["heat"] = answers.cut(ALL, scope, answers.BY_HOUR_OF_WEEK)
    for figure in ALL:
        results[f"rows of {figure.name}"] = list(row_lists.plain(figure, scope))
    for name in ("closed", "contacts", "attributed"):
        results[f"walls of {name}"] = [
            line[1] for piece in row_files.chunks(figures.FIGURES[name], scope) for line in piece
        ]
    for name in ("closures", "snooze_ends", "suggestions"):
        results[name] = getattr(breakdowns, name)(scope)
    results["omitted"] = omitted(scope)
    results["conversations"] = list(conversations_of(scope))
    results["narrowed"] = [
        answers.total(ALL, Scope(scope.websites, DAYS, filters, supervised=supervised))
        for filters in (Filters(style="social"), Filters(language="fr"))
    ]
    return results


def conversations_of(scope: Scope) -> Iterator[dict[str, Any]]:
    headings = one_each.headings()
    for day in scope.by_day():
        for piece in one_each.Writer(scope).pieces(day):
            for row in piece:
                cells = dict(zip(headings, row, strict=True))
                yield {name: value for name, value in cells.items() if name not in NAMES}


def change_all_settings(world: World) -> None:
    """Change everything that administrators and managers can change in settings, people and
    teams."""
    for user in User.objects.filter(agent__isnull=False):
        user.role = Role.MANAGER if user.role == Role.EXPERT else Role.EXPERT
        user.is_active = False
        user.save()
    Agent.objects.create(user=User.objects.get(username="boss"), display_name="Boss")
    for model in (Group, DistributionRule, Website):
        for row in model.objects.all():
            row.name = f"~{row.pk}"
            row.save()
    Agent.objects.update(display_name="Somebody else")
    for group in Group.objects.all():
        group.members.clear()
        group.members.add(AgentFactory())
        group.time_zone = "Asia/Kathmandu"
        group.save()
        group.opening_hours.all().delete()
        OpeningHours.objects.create(group=group, weekday=2, opens=time(3), closes=time(4))
        Holiday.objects.create(website=group.website, group=group, date=EVE.date(), name="Fête")
    Website.objects.update(
        time_zone="America/New_York", transaction_hours=1, assignment_hours=99, survey_csat=False
    )
    DistributionRule.objects.update(style="live_with_return", solved_window=timedelta(days=9))
    for row in [*RuleStep.objects.all(), *DistributionRule.objects.all(), *Group.objects.all()]:
        with suppress(ProtectedError, RestrictedError), transaction.atomic():
            row.delete()
    for user in User.objects.filter(agent__isnull=False):
        with suppress(ProtectedError, RestrictedError), transaction.atomic():
            user.delete()


@given(history=histories)
@example(history=2)
@lived
def test_changed_settings_change_no_past_figure(history: int) -> None:
    def check(world: World) -> None:
        pks = [website.pk for website in world.websites]
        seen = list(supervisions(world))
        before = [all_results(pks, supervised) for supervised in seen]
        assert before[0]["total"]["paid"].n or history != 2
        change_all_settings(world)
        for supervised, then in zip(seen, before, strict=True):
            now = all_results(pks, supervised)
            for what, value in then.items():
                # which rules it names depends on rights
                if what != "by rule" or supervised is EVERYTHING:
                    assert now[what] == value, what
        assert [one for low, high in windows() for one in differences(low, high)] == []
        assert StatusInterval.objects.filter(agent__user__username="idle").exists()

    in_a_past_world(history, check)


@given(history=histories)
@example(history=6)
@lived
def test_the_files_add_up_to_the_figures(history: int) -> None:
    def check(world: World) -> None:
        websites = tuple(world.websites)
        for supervised in supervisions(world):
            scope = Scope(websites, DAYS, supervised=supervised)
            whole = answers.total(ALL, scope)
            for figure in ALL:
                check_file_total(figure, scope, whole[figure.name])
            check_columns(scope, whole)
        sold = sum(row["Transactions attributed"] for row in conversations_of(scope_of(websites)))
        assert sold == answers.total(ALL, scope_of(websites))["attributed"].value

    in_a_past_world(history, check)


def scope_of(websites: tuple[Website, ...]) -> Scope:
    """Return a scope from the first conversation to after the last purchase."""
    return Scope(websites, Period(DAYS.first, date(2025, 4, 20)), supervised=EVERYTHING)


def check_file_total(figure: figures.Figure, scope: Scope, answer: answers.Answer) -> None:
    """Check that the file's "Counts as", folded as the figure is, equals the figure."""
    headings = row_files.headings()
    worth, weight, money = (
        headings.index(name) for name in ("Counts as", "Weight (s)", "Currency")
    )
    lines = [line for piece in row_files.chunks(figure, scope) for line in piece]
    assert len(lines) == answer.n, figure.name
    measure = figure.measure(scope)
    values = [float(line[worth]) for line in lines]  # type: ignore[arg-type]
    if measure.fold is Fold.COUNT:
        assert sum(values) == answer.value, figure.name
        return
    total = measures.fold(
        measure.fold,
        values,
        [str(line[money]) for line in lines] if measure.currency else (),
        [float(line[weight]) for line in lines] if measure.weight is not None else (),  # type: ignore[arg-type]
    )
    if total is None:
        assert answer.value is None, figure.name
    else:
        assert answer.value == pytest.approx(total, abs=1e-6), figure.name


def check_columns(scope: Scope, whole: answers.Answers) -> None:
    """Check the same for the columns of every table."""
    summed = {Fold.COUNT, Fold.SUM, Fold.MONEY}
    for name, wanted in sheets.CUTS.items():
        added = [one for one in wanted if figures.FIGURES[one].measure(scope).fold in summed]
        for by in content.CUTS:
            table = content.breakdown(scope, by, *wanted)
            for column in added:
                cells = [dict(zip(wanted, row.cells, strict=True))[column][1] for row in table.rows]
                if whole[column].is_mixed or any(cell.is_mixed for cell in cells):
                    continue
                total = sum(cell.value or 0 for cell in cells)
                assert total == pytest.approx(whole[column].value, abs=1e-6), (name, by, column)
    for part, figure in (("closures", "closed"), ("snooze_ends", "snoozes")):
        parts = getattr(breakdowns, part)(scope)
        assert sum(one.n for one in parts) == whole[figure].value, part
