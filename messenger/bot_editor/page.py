"""What the editor's page shows, as plain data for its template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from messenger.bot_editor.forms import KINDS
from routing.bots import layout, saved_tests
from routing.bots.checks import Problem
from routing.bots.differences import differences, name_of
from routing.bots.problem_texts import describe
from routing.bots.runner import plan_of
from routing.bots.scenario import Scenario
from routing.models import Bot

LABEL = 24  # characters of a name in a box
VERSIONS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A step in the list and in the picture."""

    id: str
    name: str
    kind: str
    kind_name: str
    problems: list[str]
    is_open: bool
    is_start: bool
    is_wrong: bool
    label: str
    x: int = 0
    y: int = 0


def language_name(code: str) -> str:
    return str(get_language_info(code)["name_translated"])


def rows_of(plan: Scenario, problems: list[Problem], *, open_step: str) -> list[Row]:
    """Return the steps in reading order, each with its place in the picture."""
    places = {box.step: box for box in layout.draw(plan).boxes}
    rows = []
    for step_id in layout.reading_order(plan):
        mine = [problem for problem in problems if problem.step == step_id]
        name = name_of(plan, step_id)
        kind = plan.steps[step_id]["kind"]
        rows.append(
            Row(
                id=step_id,
                name=name,
                kind=kind,
                kind_name=str(KINDS[kind]),
                problems=[describe(problem) for problem in mine],
                is_open=step_id == open_step,
                is_start=step_id == plan.start,
                is_wrong=any(not problem.is_warning for problem in mine),
                label=name if len(name) <= LABEL else f"{name[: LABEL - 1]}…",
                x=places[step_id].x,
                y=places[step_id].y,
            )
        )
    return rows


def of_draft(
    bot: Bot, plan: Scenario, problems: list[Problem], *, open_step: str
) -> dict[str, Any]:
    """Return the steps, the picture and the problems of the draft."""
    broken = saved_tests.broken(bot, plan)
    wrong = sum(not problem.is_warning for problem in problems) + len(broken)
    return {
        "rows": rows_of(plan, problems, open_step=open_step),
        "picture": layout.draw(plan),
        "box": {"width": layout.WIDTH, "height": layout.HEIGHT},
        "problems": [(one, describe(one)) for one in problems if not one.step],
        "wrong": wrong,
        "verdict": _verdict(wrong),
        "tests": _tests(bot, plan, broken),
    }


def _verdict(wrong: int) -> str:
    if not wrong:
        return _("The draft can be published.")
    text = ngettext(
        "One problem stops the publication.", "%(n)d problems stop the publication.", wrong
    )
    return text % {"n": wrong}


def _tests(bot: Bot, plan: Scenario, broken: list[saved_tests.Broken]) -> list[tuple[Any, str]]:
    """Return the test conversations, each with what is wrong with it, or nothing."""
    differences = {}
    for one in broken:
        names = {
            "old": name_of(plan, one.expected) if one.expected else _("the end"),
            "new": name_of(plan, one.actual) if one.actual else _("the end"),
        }
        differences[one.test.pk] = _("Was at “%(old)s”, and is now at “%(new)s”.") % names
    return [(test, differences.get(test.pk, "")) for test in bot.tests.all()]


def of_versions(bot: Bot, plan: Scenario) -> dict[str, Any]:
    """Return the history: each version with its differences from the one before, the newest first,
    and those of the draft from what is published."""
    versions = list(bot.versions.select_related("published_by", "bot__website")[: VERSIONS + 1])
    shown = []
    for place, version in enumerate(versions[:VERSIONS]):
        before = versions[place + 1] if place + 1 < len(versions) else None
        new = plan_of(version)
        shown.append((version, differences(plan_of(before), new) if before else []))
    draft = (
        differences(Scenario(bot.published.scenario, plan.languages), plan)
        if (bot.published)
        else []
    )
    return {"versions": shown, "unpublished": draft}
