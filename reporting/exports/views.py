"""The views of the exports: requesting one, the list with its progress, the file."""

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
class ExportRow:
    """An export as its list shows it."""

    export: Export
    name: Text
    until: datetime | None
    may_open: bool


@staff("GET")
def exports(request: StaffRequest) -> HttpResponse:
    """List the user's exports; return only the list when its progress is polled."""
    is_fragment = request.headers.get("HX-Request") == "true"
    return _list(request, "exports/_list.html" if is_fragment else "exports/page.html")


def _list(request: StaffRequest, template: str, status: int = 200, **more: Any) -> HttpResponse:
    lines = [_export_row(export, request) for export in request.user.exports.all()[:SHOWN]]
    context = {
        "report": "exports",
        "tab": "reports",
        "agent": Agent.objects.filter(user=request.user).first(),
        "lines": lines,
        "kept_days": export_queue.RETENTION.days,
        "is_live": any(line.export.is_unfinished for line in lines),
        **more,
    }
    response = render(request, f"reporting/{template}", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _export_row(export: Export, request: StaffRequest) -> ExportRow:
    is_done = export.state == ExportState.DONE
    return ExportRow(
        export=export,
        name=subjects.name_of(export.subject) or export.subject,
        until=export.ended_at + export_queue.RETENTION if export.ended_at else None,
        may_open=is_done and writing.may_open(export, request.user),
    )


@staff("POST")
@explained
def ask(request: StaffRequest, subject: str, kind: str) -> HttpResponse:
    """Request an export with the current filters of a report."""
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
    """Cancel an unfinished export; delete a finished one."""
    export = get_object_or_404(request.user.exports, pk=number)
    requests.drop(export, at=timezone.now())
    return redirect("exports")


@staff("GET")
def fetch(request: StaffRequest, number: int) -> HttpResponse:
    """Return the file to the user who requested it, if they may still see everything in it."""
    export = get_object_or_404(request.user.exports, pk=number)
    # The decorator's type requires HttpResponse; Django accepts a StreamingHttpResponse as well.
    return cast(HttpResponse, requests.file_of(export, request.user))
