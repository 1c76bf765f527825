"""How a worker writes a file: count the rows, then write chunk by chunk, checking now and then
whether to stop."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files import File
from django.core.files.storage import default_storage
from django.http import QueryDict
from django.utils import translation

from accounts.models import Group, User
from core import shutdown
from reporting.exports import export_queue, row_files, subjects
from reporting.exports.workbook import Row
from reporting.figures.scope import Scope
from reporting.models import Export, Fault
from reporting.reports.filters import Choices, chosen

logger = logging.getLogger(__name__)

LOOK_UP_SECONDS = 0.5


class Stopped(Exception):
    """The worker is shutting down; another one writes the file."""


def write_next(*, at: datetime) -> bool:
    """Write the next export in the queue and return whether there may be another. A failed one is
    not retried at once: beat asks again later, when the cause may be gone."""
    export = None if shutdown.is_near() else export_queue.take(at=at)
    if export is None:
        return False
    try:
        with translation.override(export.language):
            _write(export)
    except export_queue.GivenUp:
        # It may have been stored before the cancellation was noticed.
        default_storage.delete(export.file)
    except Stopped:
        export_queue.give_back(export)
        return False
    except SoftTimeLimitExceeded:
        # The next attempt would take as long.
        export_queue.fail(export, Fault.TOO_LONG)
    except Exception:
        logger.exception("export %s failed, attempt %s", export.pk, export.attempts)
        export_queue.put_back(export)
        return False
    return True


def scope_of(export: Export, user: User | None) -> Scope | None:
    """Return what the export's filters cover for ``user`` now, over the days they meant when it was
    requested; ``None`` if they cover nothing."""
    if user is None:
        return None
    form = Choices(QueryDict(export.query), user=user, at=export.asked_at)
    if not form.is_valid() or not form.websites:
        return None
    return chosen(form).scope


def may_open(export: Export, user: User) -> bool:
    """Return whether ``user`` may still see everything that the file contains."""
    scope = scope_of(export, user)
    if scope is None or scope.filters.agent != export.only_agent:
        return False
    groups = Group.objects.filter(pk__in=export.groups).values_list("website", "pk")
    return (
        set(export.websites) <= {website.pk for website in scope.websites}
        and all(map(scope.supervised.is_whole, export.websites))
        # Nobody can say who may see a group that was deleted meanwhile.
        and len(groups) == len(export.groups)
        and all(scope.supervised.covers(website_id, group_id) for website_id, group_id in groups)
    )


def coverage_of(scope: Scope) -> dict[str, list[int]]:
    """Return the websites that a file covers as a whole, and the groups that it covers of
    others."""
    if scope.filters.group is not None:
        return {"websites": [], "groups": [scope.filters.group]}
    ids = [website.pk for website in scope.websites]
    return {
        "websites": [pk for pk in ids if scope.supervised.is_whole(pk)],
        "groups": sorted(scope.supervised.groups_among(ids)),
    }


def _write(export: Export) -> None:
    scope = scope_of(export, export.user)
    if scope is None:
        export_queue.fail(export, Fault.NOTHING_TO_SEE)
        return
    sheet = subjects.sheet(export.subject, scope)
    export_queue.go_on(
        export,
        written=0,
        total=sheet.total,
        only_agent=scope.filters.agent,
        **coverage_of(scope),
    )
    progress = _Progress(export)
    with tempfile.TemporaryFile() as file:
        write = row_files.WRITERS[export.kind]
        write(file, progress.watched(sheet.pieces), sheet.title, sheet.headings)
        size = file.tell()
        file.seek(0)
        default_storage.save(export.file, File(file))
    export_queue.complete(export, written=progress.written, size=size)


class _Progress:
    """Counts the rows written, and checks now and then whether the file is still wanted."""

    def __init__(self, export: Export) -> None:
        self.export, self.written = export, 0
        self.looked_up_at = time.monotonic()

    def watched(self, pieces: Iterator[list[Row]]) -> Iterator[list[Row]]:
        for piece in pieces:
            yield piece
            self.written += len(piece)
            if shutdown.is_near():
                raise Stopped
            if time.monotonic() - self.looked_up_at >= LOOK_UP_SECONDS:
                export_queue.go_on(self.export, written=self.written)
                self.looked_up_at = time.monotonic()
