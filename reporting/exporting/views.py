"""The doors of the exports: asking for one, the list with its progress, the file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from accounts.models import Agent
from reporting import exports as files
from reporting.choices import Choices, about, chosen
from reporting.exporting import subjects, turns, writing
from reporting.figures.registry import Text
from reporting.models import UNFINISHED, Export, ExportState

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
    at = timezone.now()
    lines = [_line(export, request, at) for export in request.user.exports.all()[:SHOWN]]
    context = {
        "report": "exports",
        "tab": "reports",
        "agent": Agent.objects.filter(user=request.user).first(),
        "lines": lines,
        "kept_days": turns.KEPT.days,
        "is_live": any(line.export.is_unfinished for line in lines),
        **more,
    }
    response = render(request, f"reporting/{template}", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _line(export: Export, request: StaffRequest, at: datetime) -> Line:
    is_done = export.state == ExportState.DONE
    return Line(
        export=export,
        name=subjects.name_of(export.subject) or export.subject,
        until=export.ended_at + turns.KEPT if export.ended_at else None,
        may_open=is_done and writing.may_open(export, request.user, at=at),
    )


@staff("POST")
def ask(request: StaffRequest, subject: str, kind: str) -> HttpResponse:
    """Have a file written of what the filters of a report open, with the days written out."""
    if subjects.name_of(subject) is None or kind not in files.KINDS:
        raise Http404
    at = timezone.now()
    form = Choices(request.GET, user=request.user, at=at)
    if not form.is_valid() or not form.websites:
        raise Http404
    period = chosen(form).scope.period
    kept = {name: form.data[name] for name in form.fields if form.data.get(name)}
    kept |= {"period": "custom", "first": f"{period.first}", "last": f"{period.last}"}
    kept.pop("step", None)
    try:
        turns.ask(
            request.user,
            subject=subject,
            kind=kind,
            query=urlencode(kept),
            about=about(form),
            period=period,
            at=at,
        )
    except turns.TooMany:
        return _list(request, "exports/page.html", status=409, too_many=turns.MOST_UNFINISHED)
    return redirect("exports")


@staff("POST")
def drop(request: StaffRequest, number: int) -> HttpResponse:
    """Cancel one that is not finished; delete one that is."""
    export = get_object_or_404(request.user.exports, pk=number)
    if not turns.cancel(export, at=timezone.now()):
        turns.forget(request.user.exports.filter(pk=number).exclude(state__in=UNFINISHED))
    return redirect("exports")


@staff("GET")
def fetch(request: StaffRequest, number: int) -> HttpResponse:
    """The file, for whoever asked for it and may still see all that is in it."""
    export = get_object_or_404(request.user.exports, pk=number, state=ExportState.DONE)
    if not writing.may_open(export, request.user, at=timezone.now()):
        raise Http404
    if not default_storage.exists(export.file):
        raise Http404
    mime = files.KINDS[export.kind][0]
    response = StreamingHttpResponse(_blocks(export.file), content_type=mime)
    day = timezone.localtime(export.asked_at)
    name = f"{export.subject}-{day:%Y%m%d-%H%M}.{export.kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = str(export.size)
    response["Cache-Control"] = "no-store"
    return cast(HttpResponse, response)


async def _blocks(name: str) -> AsyncIterator[bytes]:
    opened = await sync_to_async(default_storage.open, thread_sensitive=False)(name)
    with opened as file:
        while block := await sync_to_async(file.read, thread_sensitive=False)(files.BLOCK):
            yield block
