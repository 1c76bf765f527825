"""Looks that are stored, where the website says so: written, replayed, deleted (R60).

By default nothing is stored. A look is stored if its website has a number of days and the visitor
has agreed to a text that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts import supervision
from accounts.models import User, Website
from conversations.mirroring.recording import LOOK_BYTES, unpacked
from conversations.models import ConsentKind, LookPart, LookReplay, MirrorLook
from conversations.visitors import persons


def is_stored(look_id: int) -> bool:
    """Return whether what the agent sees is stored."""
    look = MirrorLook.objects.select_related("conversation__website", "conversation__visitor").get(
        pk=look_id
    )
    consent = persons.last_consent(look.conversation.visitor)
    return (
        look.conversation.website.stores_looks
        and consent is not None
        and consent.kind == ConsentKind.GIVEN
        and consent.covers_stored_looks
    )


@transaction.atomic
def store(look_id: int, number: int, part: bytes, *, at: datetime) -> bool:
    """Store one part of a look. Return false, without storing it, if nothing more is stored: the
    website or the visitor no longer wants it, or the look is as large as one may be."""
    held = LookPart.objects.filter(look=look_id).aggregate(sum=Sum("size", default=0))["sum"]
    if held + len(part) > LOOK_BYTES or not is_stored(look_id):
        return False
    LookPart.objects.create(look_id=look_id, number=number, at=at, size=len(part), frames=part)
    return True


def replayable(user: User) -> QuerySet[MirrorLook]:
    """Return the stored looks that ``user`` may replay: managers and administrators, in the
    conversations that they oversee."""
    if not user.oversees:
        return MirrorLook.objects.none()
    overseen = supervision.of(user).rows(
        website="conversation__website", group="conversation__group"
    )
    stored = LookPart.objects.values("look")
    return MirrorLook.objects.filter(overseen, pk__in=stored).exclude(ended_at=None)


def replay(look: MirrorLook, *, by: User, at: datetime) -> Iterator[bytes]:
    """Record who replays a look, and return its records."""
    LookReplay.objects.create(look=look, user=by, at=at)
    parts = LookPart.objects.filter(look=look).order_by("number")
    # One part after another: a look may be larger than a response should hold in memory.
    return (unpacked(bytes(part)) for part in parts.values_list("frames", flat=True).iterator())


def forget(*, at: datetime) -> int:
    """Delete what was stored for longer than its website says, or where it no longer stores
    anything; return how many parts. The looks themselves stay on record."""
    deleted = 0
    for website in Website.objects.all():
        parts = LookPart.objects.filter(look__conversation__website=website)
        if website.stores_looks:
            parts = parts.filter(at__lt=at - timedelta(days=website.looks_stored_days or 0))
        deleted += parts.delete()[0]
    return deleted
