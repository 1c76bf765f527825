"""The pages of figures: of a version, on the picture of its scenario, and of a program. Each figure
opens its conversations."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from conversations.models import Conversation
from messenger.bot_editor.page import rows_of
from routing.bots import layout, outcomes
from routing.bots.differences import name_of
from routing.bots.outcomes import Outcome, Satisfaction, Totals
from routing.bots.runner import plan_of
from routing.models import Bot, BotKind, BotVersion, Fault

OUTCOMES = {
    Outcome.ESCALATED: (
        gettext_lazy("Passed on to people"),
        gettext_lazy("Conversations that entered a queue or reached a desk."),
    ),
    Outcome.CONTAINED: (
        gettext_lazy("Contained"),
        gettext_lazy("Conversations that ended with the bot, without people."),
    ),
    Outcome.SILENT: (
        gettext_lazy("Closed for silence"),
        gettext_lazy("Conversations closed because the visitor did not answer the bot."),
    ),
    Outcome.RUNNING: (
        gettext_lazy("Still with the bot"),
        gettext_lazy("Conversations that have not ended yet."),
    ),
}

SATISFACTION = {
    "after_bot": gettext_lazy("Satisfaction after the bot"),
    "after_people": gettext_lazy("Satisfaction after people"),
}


@require_GET
def show(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show the figures of a version, and the conversations of the one that was opened."""
    versions = BotVersion.objects.select_related("bot__website")
    version = get_object_or_404(versions, bot=pk, number=number)
    figures = outcomes.figures_of(version)
    plan = plan_of(version)
    heading, opened = _opened(request, version)
    context = admin.site.each_context(request) | {
        "title": _("Figures of version %(n)d of %(bot)s") % {"n": number, "bot": version.bot.name},
        "bot": version.bot,
        "version": version,
        "scope": _("Conversations that began with this version."),
        **_shown(figures.totals),
        "picture": layout.draw(plan),
        "box": {"width": layout.WIDTH, "height": layout.HEIGHT},
        "rows": [
            (row, figures.entered.get(row.id, 0), figures.left.get(row.id, 0))
            for row in rows_of(plan, [], open_step=request.GET.get("step", ""))
        ],
        "heading": heading % {"step": name_of(plan, request.GET.get("step", ""))},
        "conversations": opened[: outcomes.SHOWN] if opened is not None else None,
    }
    return TemplateResponse(request, "admin/bots/figures.html", context)


@require_GET
def show_program(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the figures of a bot's program, and the conversations of the one that was opened."""
    bot = get_object_or_404(Bot, pk=pk, kind=BotKind.PROGRAM)
    figures = outcomes.program_figures_of(bot)
    heading, opened = _opened_of_program(request, bot)
    context = admin.site.each_context(request) | {
        "title": _("Figures of %(bot)s") % {"bot": bot.name},
        "bot": bot,
        "scope": _("Conversations that began with this bot."),
        **_shown(figures.totals),
        "faults": [(fault, fault.label, n) for fault, n in sorted(figures.faults.items())],
        "refused": figures.refused,
        "heading": heading,
        "conversations": opened[: outcomes.SHOWN] if opened is not None else None,
    }
    return TemplateResponse(request, "admin/bots/program_figures.html", context)


Opened = tuple[str, QuerySet[Conversation] | None]


def _opened_of_program(request: HttpRequest, bot: Bot) -> Opened:
    figure, fault = request.GET.get("figure"), request.GET.get("fault", "")
    conversations = outcomes.conversations_with(bot)
    if figure == "fault" and fault in Fault.values:
        return Fault(fault).label.capitalize(), conversations.filter(program_run__fault=fault)
    if figure == "refused":
        late = conversations.filter(program_run__late_answers__gt=0)
        return _("Answers that came too late"), late
    return _of_totals(figure, conversations)


def _of_totals(figure: str | None, conversations: QuerySet[Conversation]) -> Opened:
    """Return the heading and the conversations of a figure that versions and programs share."""
    match figure:
        case None:
            return "", None
        case "begun":
            return _("All conversations"), conversations
        case "after_bot" | "after_people":
            label = SATISFACTION[figure]
            is_late = figure == "after_people"
            return str(label), outcomes.answered_survey(conversations, after_people=is_late)
        case str(name) if name in set(Outcome):
            outcome = Outcome(name)
            return str(OUTCOMES[outcome][0]), outcomes.with_outcome(conversations, outcome)
    raise Http404


def _opened(request: HttpRequest, version: BotVersion) -> Opened:
    """Return the heading and the conversations of the figure in the address, if it names one."""
    step = request.GET.get("step", "")
    figure = request.GET.get("figure")
    match figure:
        case "entered":
            return _("Entered “%(step)s”"), outcomes.that_entered(version, step)
        case "left":
            return _("Left at “%(step)s”"), outcomes.that_left_at(version, step)
    heading, found = _of_totals(figure, outcomes.conversations_of(version))
    return heading.replace("%", "%%"), found


def _shown(totals: Totals) -> dict[str, Any]:
    return {
        "figures": totals,
        "outcomes": _outcomes(totals),
        "satisfaction": [
            ("after_bot", SATISFACTION["after_bot"], _in_words(totals.after_bot)),
            ("after_people", SATISFACTION["after_people"], _in_words(totals.after_people)),
        ],
    }


def _outcomes(figures: Totals) -> list[dict[str, Any]]:
    return [
        {
            "key": outcome.value,
            "label": label,
            "description": description,
            "count": figures.outcomes[outcome],
            "share": round(100 * figures.outcomes[outcome] / figures.begun)
            if figures.begun
            else None,
        }
        for outcome, (label, description) in OUTCOMES.items()
    ]


def _in_words(satisfaction: Satisfaction) -> str:
    if satisfaction.mean is None:
        return _("No answers")
    values = {"mean": number_format(satisfaction.mean, 1), "n": satisfaction.answers}
    return _("%(mean)s of 5 (answers: %(n)d)") % values
