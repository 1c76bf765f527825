"""The doors of the exports: asking for one, the list with its progress, the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from accounts.models import Agent
from reporting.exports import export_queue, requests, subjects, writing
from reporting.exports import row_files as files
from reporting.figures.registry import Text
from reporting.models import Export, ExportState
from reporting.reports.filters import read
from reporting.reports.parameters import explained

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """An export as its list shows it."""

    export: Export
    name: Text
    until: datetime | None
    may_open: bool


@staff("GET")
def exports(request: StaffRequest) -> HttpResponse:
    """What one has asked for; the list alone where its progress is looked at."""
    is_fragment = request.headers.get("HX-Request") == "true"
    return _list(request, "exports/list.html" if is_fragment else "exports/page.html")


def _list(request: StaffRequest, template: str, status: int = 200, **more: Any) -> HttpResponse:
    lines = [_line(export, request) for export in request.user.exports.all()[:SHOWN]]
    context = {
        "report": "exports",
        "tab": "reports",
        "agent": Agent.objects.filter(user=request.user).first(),
        "lines": lines,
        "kept_days": export_queue.KEPT.days,
        "is_live": any(line.export.is_unfinished for line in lines),
        **more,
    }
    response = render(request, f"reporting/{template}", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _line(export: Export, request: StaffRequest) -> Line:
    is_done = export.state == ExportState.DONE
    return Line(
        export=export,
        name=subjects.name_of(export.subject) or export.subject,
        until=export.ended_at + export_queue.KEPT if export.ended_at else None,
        may_open=is_done and writing.may_open(export, request.user),
    )


@staff("POST")
@explained
def ask(request: StaffRequest, subject: str, kind: str) -> HttpResponse:
    """Have a file written of what the filters of a report open at this moment."""
    if subjects.name_of(subject) is None or kind not in files.KINDS:
        raise Http404
    at = timezone.now()
    form = read(request.GET, user=request.user, at=at)
    if not form.websites:
        raise Http404
    try:
        requests.ask(form, subject=subject, kind=kind, at=at)
    except export_queue.TooMany:
        return _list(
            request, "exports/page.html", status=409, too_many=export_queue.MOST_UNFINISHED
        )
    return redirect("exports")


@staff("POST")
def drop(request: StaffRequest, number: int) -> HttpResponse:
    """Cancel one that is not finished; delete one that is."""
    export = get_object_or_404(request.user.exports, pk=number)
    requests.drop(export, at=timezone.now())
    return redirect("exports")


@staff("GET")
def fetch(request: StaffRequest, number: int) -> HttpResponse:
    """The file, for whoever asked for it and may still see all that is in it."""
    export = get_object_or_404(request.user.exports, pk=number)
    # A door answers with an HttpResponse, says the type of doors; to Django this is one too.
    return cast(HttpResponse, requests.file_of(export, request.user))
