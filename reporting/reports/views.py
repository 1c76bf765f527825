"""The pages of the reports over a period. They read the clock and the filters, and render."""

from __future__ import annotations

from typing import Any, Literal, cast

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from accounts import supervision
from accounts.access import StaffRequest, overseers, staff
from accounts.models import Agent, User
from reporting import figures as register
from reporting.exports import row_files
from reporting.figures.registry import Figure
from reporting.models import Every, SubscribedReport, Subscription
from reporting.reports import breakdowns, comparison, content, downloads, row_lists, sheets
from reporting.reports.clock_sentences import clocks
from reporting.reports.filters import Choices, Chosen, chosen, read
from reporting.reports.omitted_surveys import omitted
from reporting.reports.parameters import explained
from reporting.reports.sheets import (
    CALLS_CUT,
    DEFLECTION_CUT,
    EXPERIENCE_CUT,
    FLOW_CUT,
    REASONS_CUT,
    SALES_CUT,
    STAFF_CUT,
)
from reporting.sales import explanation

LINES = 100
LARGE = 20_000
"""Rows. A larger file takes too long for a direct download, so a worker writes it."""
COMMENTS = 12
BESIDE = {"by": content.CUTS, "page": None}
"""The parameters of these pages beside the filters."""


def _asked(request: StaffRequest) -> tuple[Choices, Chosen]:
    form = Choices(request.GET, user=request.user, at=timezone.now(), beside=BESIDE)
    return form, chosen(form)


def _file_of(request: StaffRequest) -> Chosen:
    """Return the choice for a file, which cannot show errors. Raises ``Misread``."""
    return chosen(read(request.GET, user=request.user, at=timezone.now(), beside=BESIDE))


def _drawn(request: StaffRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render the page; for an invalid address only its filters and their errors, with status
    400."""
    status = 200 if context["form"].is_valid() else 400
    return render(request, f"reporting/{template}.html", context, status=status)


def _page(request: StaffRequest, report: str, form: Choices, asked: Chosen) -> dict[str, Any]:
    """Return the context that every report's page needs."""
    return {
        "report": report,
        "form": form,
        "scope": asked.scope,
        "names": supervision.named(asked.scope.websites, asked.scope.supervised),
        "clocks": clocks(asked.scope, asked.step),
        "comparison": comparison.of(asked.scope),
        "step": asked.step,
        "query": asked.query,
        "tab": "reports",
        "now": timezone.now(),
        "agent": Agent.objects.filter(user=request.user).first(),
        "by_mail": _by_mail(request.user, report),
        "everies": Every.choices,
    }


def _by_mail(user: User, report: str) -> Subscription | Literal[False] | None:
    """Return the reader's subscription to this report; False where subscribing is not possible."""
    if not user.oversees or report not in SubscribedReport.values:
        return False
    return user.report_subscriptions.filter(report=report).first()


def _downloads(context: dict[str, Any], *other_sheets: str) -> list[downloads.Download]:
    """Return the files of a report: its breakdown, its charts, and its ``other_sheets``."""
    query, by = context["query"], context["by"]
    title = _("By agent") if by == "agent" and "cuts" not in context else _("Breakdown")
    return [
        downloads.of_sheet(title, context["report"], query, by),
        *downloads.of_charts(context.get("trends", ()), query),
        *downloads.of_sheets(other_sheets, query),
    ]


def _cut_by(request: StaffRequest) -> str:
    by = request.GET.get("by")
    return by if by in content.CUTS else "group"


@staff("GET")
def own(request: StaffRequest) -> HttpResponse:
    """Show agents their own figures; redirect overseers to the board."""
    if request.user.oversees:
        return redirect("production")
    form, asked = _asked(request)
    scope = asked.scope
    context = _page(request, "own", form, asked) | {
        "tiles": content.tiles(
            scope,
            "contacts",
            "handled",
            "handle_time",
            ("first_response", "first_response_open"),
            "csat",
            "nps",
            "passed_on",
        ),
        "trends": content.trends(asked, "contacts", "csat"),
        "comments": _comments(request, asked),
    }
    context["downloads"] = downloads.of_charts(context["trends"], asked.query)
    return _drawn(request, "own", context)


@overseers("GET")
def experience(request: StaffRequest) -> HttpResponse:
    """Show customers' answers and waiting times (R79-R82)."""
    form, asked = _asked(request)
    scope, by = asked.scope, _cut_by(request)
    context = _page(request, "experience", form, asked) | {
        "tiles": content.tiles(scope, "csat", "nps", "response_rate", "comments"),
        "times": content.tiles(
            scope,
            ("first_response", "first_response_mean", "first_response_p90"),
            "first_response_open",
            ("resolution", "resolution_mean", "resolution_p90"),
            "resolution_open",
        ),
        "trends": content.trends(asked, "csat", "nps", "first_response", "resolution"),
        "breakdown": content.breakdown(scope, by, *EXPERIENCE_CUT),
        "by": by,
        "cuts": content.CUT_NAMES,
        "omitted": omitted(scope),
        "comments": _comments(request, asked),
    }
    context["downloads"] = _downloads(context, "omitted")
    return _drawn(request, "experience", context)


@overseers("GET")
def conversations(request: StaffRequest) -> HttpResponse:
    """Show how many conversations began and ended, how they moved and how they waited (R83-R87)."""
    form, asked = _asked(request)
    scope, by = asked.scope, _cut_by(request)
    snooze_ends, heat = breakdowns.snooze_ends(scope), content.heat(scope, "wait")
    context = _page(request, "conversations", form, asked) | {
        "tiles": content.tiles(
            scope,
            "opened",
            "engaged",
            "refused",
            "closed",
            "contacts_per_conversation",
            "one_agent",
            "containment",
            ("wait", "wait_p90"),
        ),
        "moves": content.tiles(
            scope, "reopened", "transfers", "snoozes", "expired", "released", "recalled"
        ),
        "trends": content.trends(asked, "opened", "closed"),
        "closures": breakdowns.closures(scope),
        "snooze_ends": snooze_ends,
        "snoozed": any(part.n for part in snooze_ends),
        "heat": list(zip(WEEKDAYS.values(), heat, strict=True)),
        "waited": any(cell.answer.n for day in heat for cell in day),
        "hours": range(24),
        "breakdown": content.breakdown(scope, by, *FLOW_CUT),
        "by": by,
        "cuts": content.CUT_NAMES,
    }
    context["downloads"] = _downloads(context, "closures", "snooze-ends", "waits")
    context["prepared"] = "conversations"
    return _drawn(request, "conversations", context)


@overseers("GET")
def reasons(request: StaffRequest) -> HttpResponse:
    """Show why customers wrote: the figures of each tag, and the trend of the one that is chosen
    (B25)."""
    form, asked = _asked(request)
    context = _page(request, "reasons", form, asked) | {
        "tiles": content.tiles(asked.scope, "opened", "closed", "csat", "resolution"),
        "trends": content.trends(asked, "opened", "closed"),
        "breakdown": content.breakdown(asked.scope, "tag", *REASONS_CUT),
        "by": "tag",
    }
    context["downloads"] = _downloads(context)
    return _drawn(request, "reasons", context)


@overseers("GET")
def calls(request: StaffRequest) -> HttpResponse:
    """Show how many calls there were, how soon they were answered and how good they were (R164)."""
    form, asked = _asked(request)
    scope, by = asked.scope, _cut_by(request)
    context = _page(request, "calls", form, asked) | {
        "tiles": content.tiles(
            scope,
            ("calls", "calls_by_visitors", "video_calls"),
            "calls_answered",
            ("calls_missed", "calls_missed_share"),
            *("calls_missed_by_visitors", "calls_declined", "calls_failed"),
        ),
        "times": content.tiles(
            scope, "call_wait", ("call_length", "call_total"), "call_loss", "call_round_trip"
        ),
        "trends": content.trends(asked, "calls", "calls_missed", "call_length", "call_loss"),
        "breakdown": content.breakdown(scope, by, *CALLS_CUT),
        "by": by,
        "cuts": content.CUT_NAMES,
    }
    context["downloads"] = _downloads(context)
    return _drawn(request, "calls", context)


@overseers("GET")
def deflection(request: StaffRequest) -> HttpResponse:
    """Show what articles and bots answered without people."""
    form, asked = _asked(request)
    scope, by = asked.scope, _cut_by(request)
    context = _page(request, "deflection", form, asked) | {
        "articles": content.tiles(scope, "articles_answered", "articles_read"),
        "tiles": content.tiles(
            scope,
            *("bot_begun", "bot_contained", "containment", "bot_silent", "bot_passed_on"),
        ),
        "trends": content.trends(asked, "articles_answered", "bot_contained", "containment"),
        "breakdown": content.breakdown(scope, by, *DEFLECTION_CUT),
        "by": by,
        "cuts": content.CUT_NAMES,
    }
    context["downloads"] = _downloads(context)
    return _drawn(request, "deflection", context)


@overseers("GET")
def agents(request: StaffRequest) -> HttpResponse:
    """Show what each agent handled, and how long it took."""
    form, asked = _asked(request)
    suggestions = breakdowns.suggestions(asked.scope)
    context = _page(request, "agents", form, asked) | {
        "suggestions": suggestions,
        "acceptance": breakdowns.acceptance(suggestions),
        "tiles": content.tiles(
            asked.scope,
            *("contacts", "handled", "handle_time", "passed_on"),
            ("availability", "available_time", "connected_time"),
            *("occupancy", "adherence", "paid"),
        ),
        "breakdown": content.breakdown(asked.scope, "agent", *STAFF_CUT),
        "by": "agent",
    }
    context["downloads"] = _downloads(context, "suggestions")
    return _drawn(request, "agents", context)


@staff("GET")
def behind(request: StaffRequest, name: str) -> HttpResponse:
    """List the rows behind a figure, newest first (B10). Users who do not oversee see only their
    own."""
    figure = register.FIGURES.get(name)
    if figure is None:
        raise Http404
    form, asked = _asked(request)
    rows = row_lists.ordered(figure, asked.scope)
    page = Paginator(rows, LINES).get_page(request.GET.get("page"))
    context = _page(request, figure.report, form, asked) | {
        "figure": figure,
        "tile": content.tiles(asked.scope, name)[0],
        "page": page,
        "lines": row_lists.rows(figure, asked.scope, page.object_list, request.user),
    }
    if page.paginator.count > LARGE:
        context["prepared"] = figure.name
    else:
        context["downloads"] = [downloads.of_rows(figure, asked.query)]
    return _drawn(request, "behind", context)


@overseers("GET")
def transactions(request: StaffRequest) -> HttpResponse:
    """Show the purchases, whose they are, and why (R63-R69, B20)."""
    form, asked = _asked(request)
    scope, by = asked.scope, _cut_by(request)
    figure = register.FIGURES["transactions"]
    newest = row_lists.ordered(figure, scope)[:LINES]
    context = _page(request, "transactions", form, asked) | {
        "tiles": content.tiles(
            scope, *SALES_CUT[:4], ("refunds", "turnover_refunded"), "answer_to_purchase"
        ),
        "trends": content.trends(asked, "attributed", "turnover"),
        "breakdown": content.breakdown(scope, by, *SALES_CUT),
        "by": by,
        "cuts": content.SALES_CUT_NAMES,
        "lines": row_lists.rows(figure, scope, newest, request.user),
    }
    context["downloads"] = _downloads(context)
    return _drawn(request, "transactions", context)


@staff("GET")
def transaction(request: StaffRequest, number: int) -> HttpResponse:
    """Show one purchase and explain its attribution. Agents see only their own (B20)."""
    sale = explanation.visible_to(request.user).filter(pk=number).first()
    if sale is None:
        raise Http404
    context = {
        "report": "transactions",
        "tab": "reports",
        "now": timezone.now(),
        "agent": Agent.objects.filter(user=request.user).first(),
        "sale": sale,
        "explained": explanation.explained(sale, request.user),
    }
    return render(request, "reporting/transaction.html", context)


@staff("GET")
@explained
def chart(request: StaffRequest, name: str) -> HttpResponse:
    """Return a figure's chart as an SVG file."""
    if name not in register.FIGURES:
        raise Http404
    asked = _file_of(request)
    scope = asked.scope
    names = supervision.named(scope.websites, scope.supervised)
    context = {
        "trend": content.trends(asked, name)[0],
        "scope": scope,
        "names": names,
        "clocks": clocks(scope, asked.step),
    }
    response = render(request, "reporting/chart.svg", context, content_type="image/svg+xml")
    period = asked.scope.period
    file = f"{name}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.svg"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    response["Cache-Control"] = "no-store"
    return response


@overseers("GET")
@explained
def sheet_file(request: StaffRequest, name: str, kind: str) -> HttpResponse:
    """Return a sheet of a report as CSV or XLSX."""
    asked = _file_of(request)
    sheet = sheets.of_report(name, asked, _cut_by(request))
    if sheet is None or kind not in row_files.KINDS:
        raise Http404
    return sheets.answer(sheet, name, kind, asked)


@staff("GET")
@explained
def chart_file(request: StaffRequest, name: str, kind: str) -> HttpResponse:
    """Return the numbers behind a figure's chart as CSV or XLSX."""
    if name not in register.FIGURES or kind not in row_files.KINDS:
        raise Http404
    asked = _file_of(request)
    return sheets.answer(sheets.behind_chart(name, asked), name, kind, asked)


@staff("GET")
@explained
def export(request: StaffRequest, name: str, kind: str) -> HttpResponse:
    """Return the rows behind a figure as CSV or XLSX, however many there are."""
    figure = register.FIGURES.get(name)
    if figure is None or kind not in row_files.KINDS:
        raise Http404
    asked = _file_of(request)
    mime, write = row_files.KINDS[kind]
    pieces = row_files.chunks(figure, asked.scope)
    body = write(pieces, str(figure.label))
    # The decorator's type requires HttpResponse; Django accepts a StreamingHttpResponse as well.
    response = cast(HttpResponse, StreamingHttpResponse(body, content_type=mime))
    period = asked.scope.period
    file = f"{name}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    response["Cache-Control"] = "no-store"
    return response


def _comments(request: StaffRequest, asked: Chosen) -> list[row_lists.FigureRow]:
    """Return the newest comments, with their conversations."""
    figure: Figure = register.FIGURES["comments"]
    comments = row_lists.ordered(figure, asked.scope)[:COMMENTS]
    return row_lists.rows(figure, asked.scope, comments, request.user)
