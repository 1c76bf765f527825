"""What the page and the API share: request an export, drop it, return its file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone

from accounts.models import User
from reporting.exports import export_queue, writing
from reporting.exports import row_files as files
from reporting.models import UNFINISHED, Export, ExportState
from reporting.reports.filters import Choices, about, chosen


def ask(form: Choices, *, subject: str, kind: str, at: datetime) -> Export:
    """Request a file with the filters of a valid form. "The last seven days" are those of now, even
    if a worker starts later. Raises ``TooMany``."""
    given = {name: form.data[name] for name in form.fields if form.data.get(name)}
    given.pop("step", None)
    return export_queue.ask(
        form.user,
        subject=subject,
        kind=kind,
        query=urlencode(given),
        about=about(form),
        period=chosen(form).scope.period,
        at=at,
    )


def within_token(user: User) -> Q:
    """Match the exports that the token of this request may see: those of its websites."""
    if user.confined_to is None:
        return Q()
    confined = Q(pk__in=[])
    for website_id in user.confined_to:
        # What the file covers is known only once it is written; what was asked for, always.
        confined |= Q(query__regex=rf"(^|&)website={website_id}(&|$)")
    return confined


def drop(export: Export, *, at: datetime) -> None:
    """Cancel an unfinished export; delete a finished one."""
    if not export_queue.cancel(export, at=at):
        export_queue.forget(Export.objects.filter(pk=export.pk).exclude(state__in=UNFINISHED))


def file_of(export: Export, user: User) -> StreamingHttpResponse:
    """Return the file, for a user who may still see everything in it. Raises ``Http404``
    otherwise."""
    if export.state != ExportState.DONE or not writing.may_open(export, user):
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
    return response


async def _blocks(name: str) -> AsyncIterator[bytes]:
    opened = await sync_to_async(default_storage.open, thread_sensitive=False)(name)
    with opened as file:
        while block := await sync_to_async(file.read, thread_sensitive=False)(files.BLOCK):
            yield block
