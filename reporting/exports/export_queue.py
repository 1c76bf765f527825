"""The queue of exports: requested, taken by one worker, in progress, ended, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language

from accounts.models import Group, User
from core.events import bus
from reporting.facts import ExportAsked, ExportEnded
from reporting.figures.period import Period
from reporting.models import UNFINISHED, Export, ExportState, Fault

LEASE = timedelta(seconds=60)
ATTEMPTS = 3
RETENTION = timedelta(days=7)
MOST_UNFINISHED = 5


class TooMany(Exception):
    """The user already has the maximum number of unfinished exports."""


class GivenUp(Exception):
    """The export was cancelled, or another worker has it now."""


@transaction.atomic
def ask(
    user: User,
    *,
    subject: str,
    kind: str,
    period: Period,
    query: str,
    about: str,
    at: datetime,
) -> Export:
    """Request a file. Raises ``TooMany``."""
    # One request of a user at a time, so that the count below cannot be outrun.
    User.objects.select_for_update().get(pk=user.pk)
    if Export.objects.filter(user=user, state__in=UNFINISHED).count() >= MOST_UNFINISHED:
        raise TooMany
    export = Export.objects.create(
        user=user,
        subject=subject,
        kind=kind,
        query=query,
        about=about[:300],
        first=period.first,
        last=period.last,
        language=get_language() or "",
        asked_at=at,
    )
    bus.publish(ExportAsked(export_id=export.pk))
    return export


def cancel(export: Export, *, at: datetime) -> bool:
    """Cancel an export and return whether it was still unfinished. The worker notices within a
    second."""
    unfinished = Export.objects.filter(pk=export.pk, state__in=UNFINISHED)
    return bool(unfinished.update(state=ExportState.CANCELLED, ended_at=at, leased_until=None))


def take(*, at: datetime) -> Export | None:
    """Return the export that has waited longest, for the caller to write; ``None`` while one is
    being written.

    An export that a worker abandoned is tried again, ``ATTEMPTS`` times in all.
    """
    try:
        with transaction.atomic():
            return _take(at)
    except IntegrityError:  # one_export_at_work: another worker was faster.
        return None


def _take(at: datetime) -> Export | None:
    left = Q(state=ExportState.RUNNING, leased_until__lte=at)
    unfinished = Export.objects.select_for_update(skip_locked=True).order_by("asked_at", "pk")
    for export in unfinished.filter(left):
        if export.attempts >= ATTEMPTS:
            _end(export, ExportState.FAILED, fault=Fault.BROKEN)
        else:
            return _taken(export, at)
    if Export.objects.filter(state=ExportState.RUNNING).exists():
        return None
    waiting = unfinished.filter(state=ExportState.WAITING).first()
    return _taken(waiting, at) if waiting else None


def _taken(export: Export, at: datetime) -> Export:
    _drop_file(export)
    export.state = ExportState.RUNNING
    export.attempts += 1
    export.written = 0
    # Stored before the file exists, so that what a killed worker leaves behind can be found. The
    # random part keeps the path from being guessed from the id.
    export.file = f"exports/{export.pk}-{uuid.uuid4().hex}.{export.kind}"
    export.leased_until = at + LEASE
    export.save(update_fields=["state", "attempts", "written", "file", "leased_until"])
    return export


def _mine(export: Export) -> Q:
    return Q(pk=export.pk, state=ExportState.RUNNING, attempts=export.attempts)


def go_on(export: Export, *, written: int, **learnt: object) -> None:
    """Record the progress and extend the lease. Raises ``GivenUp``."""
    mine = Export.objects.filter(_mine(export))
    if not mine.update(written=written, leased_until=Now() + LEASE, **learnt):
        raise GivenUp


def put_back(export: Export) -> None:
    """Put a failed export back into the queue; after the last attempt it has failed for good."""
    if export.attempts >= ATTEMPTS:
        fail(export, Fault.BROKEN)
        return
    Export.objects.filter(_mine(export)).update(state=ExportState.WAITING, leased_until=None)


def give_back(export: Export) -> None:
    """Return an export whose worker is shutting down. The attempt is not counted."""
    Export.objects.filter(_mine(export)).update(
        state=ExportState.WAITING, leased_until=None, attempts=F("attempts") - 1
    )


def complete(export: Export, *, written: int, size: int) -> None:
    """Mark the export as done; its file exists. Raises ``GivenUp``."""
    if not _end(export, ExportState.DONE, written=written, size=size):
        raise GivenUp


def fail(export: Export, fault: Fault) -> None:
    _end(export, ExportState.FAILED, fault=fault)


@transaction.atomic
def _end(export: Export, state: ExportState, **learnt: object) -> bool:
    mine = Export.objects.filter(_mine(export))
    if not mine.update(state=state, ended_at=Now(), leased_until=None, **learnt):
        return False
    bus.publish(ExportEnded(export_id=export.pk))
    return True


def drop_erased(
    *, website_id: int, first: str, last: str, address_hashes: Sequence[str] = ()
) -> None:
    """Delete the files that may hold the words of erased visitors, whose conversations lie between
    two days (ISO 8601). What is being written begins anew."""
    if not first:
        return
    # Days are counted in the time zone of whoever asked: a day more on each side covers them all.
    day = timedelta(days=1)
    overlapping = Export.objects.filter(
        first__lte=date.fromisoformat(last) + day, last__gte=date.fromisoformat(first) - day
    )
    overlapping.filter(state=ExportState.RUNNING).update(
        state=ExportState.WAITING, leased_until=None
    )
    groups = list(Group.objects.filter(website=website_id).values_list("pk", flat=True))
    covered = Q(websites__contains=[website_id]) | Q(groups__overlap=groups)
    done = overlapping.filter(state=ExportState.DONE).exclude(file="")
    for export in done.filter(covered | ~Q(only_agent=None)):
        Export.objects.filter(pk=export.pk).update(state=ExportState.FAILED, fault=Fault.ERASED)
        _drop_file(export)


def forget(exports: Iterable[Export]) -> int:
    """Delete files and then their rows; return how many."""
    gone = 0
    for export in exports:
        _drop_file(export)
        gone += Export.objects.filter(pk=export.pk).exclude(state=ExportState.RUNNING).delete()[0]
    return gone


def over(*, at: datetime) -> Iterable[Export]:
    """Return exports that have expired or whose owner was deleted."""
    ended = Q(ended_at__lte=at - RETENTION) | Q(user=None)
    return Export.objects.filter(ended).exclude(state=ExportState.RUNNING)[:500]


def _drop_file(export: Export) -> None:
    if export.file:
        default_storage.delete(export.file)
