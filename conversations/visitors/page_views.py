"""Page views and profiles of visitors, limited in number and age.

They are stored only for visitors who have given consent: without it there is no visitor (B13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from conversations.facts import VisitorBrowsed
from conversations.lifecycle.transitions import Status
from conversations.models import Conversation, Profile, SeenPage, Visitor
from core.events import bus

MAX_PAGES = 50  # pages of one visitor

Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser reports when it opens a page. Texts are already cut to their limits."""

    url: str
    title: str = ""
    referrer: str = ""
    device: str = ""
    language: str = ""
    place: str = ""
    data: Mapping[str, Value] = field(default_factory=dict)


@transaction.atomic
def see(visitor_id: int, seen: Seen, *, at: datetime) -> None:
    """Store a page view, unless it repeats the last one, and update the profile. A referrer stays
    until there is another one: later pages of a visit have none."""
    profile = {
        "device": seen.device,
        "language": seen.language,
        "data": dict(seen.data),
        "place": seen.place,
        "said_at": at,
    }
    if seen.referrer:
        profile["referrer"] = seen.referrer
    Profile.objects.update_or_create(visitor_id=visitor_id, defaults=profile)
    pages = SeenPage.objects.filter(visitor=visitor_id).order_by("-pk")
    if seen.url and pages.values_list("url", flat=True).first() != seen.url:
        SeenPage.objects.create(visitor_id=visitor_id, url=seen.url, title=seen.title, seen_at=at)
        # At most one: the oldest page that is still within the limit.
        for oldest in pages.values_list("pk", flat=True)[MAX_PAGES - 1 : MAX_PAGES]:
            pages.filter(pk__lt=oldest).delete()
    held = Conversation.objects.filter(visitor__in=_browsers(visitor_id), status=Status.ACTIVE)
    bus.publish(
        *(
            VisitorBrowsed(conversation_id=pk, agent_id=agent_id)
            for pk, agent_id in held.values_list("pk", "agent_id")
        )
    )


def _browsers(visitor_id: int) -> QuerySet[Visitor, Any]:
    """Return all visitors of the same person; the conversation may have begun on another one."""
    same = Q(pk=visitor_id) | Q(person__visitors=visitor_id)
    return Visitor.objects.filter(same).order_by().values("pk")


def profile_of(visitor_id: int) -> Profile | None:
    """Return the latest profile among the person's visitors, if there is one (C54)."""
    profiles = Profile.objects.filter(visitor__in=_browsers(visitor_id))
    return profiles.order_by("-said_at", "-pk").first()


def pages_of(visitor_id: int) -> list[SeenPage]:
    """Return the pages that the person has viewed, the current one first (C54). That is the last
    page of the visitor with the latest profile, since a repeated page is stored once."""
    pages = list(
        SeenPage.objects.filter(visitor__in=_browsers(visitor_id)).order_by("-pk")[:MAX_PAGES]
    )
    profile = profile_of(visitor_id)
    if profile is None:
        return pages
    there = SeenPage.objects.filter(visitor=profile.visitor_id).order_by("-pk").first()
    if there is None or there in pages[:1]:
        return pages
    return [there, *(page for page in pages if page != there)][:MAX_PAGES]


def forget(*, before: datetime) -> int:
    """Delete pages viewed ``before`` and profiles last updated then; return how many rows."""
    gone = SeenPage.objects.filter(seen_at__lt=before).delete()[0]
    return gone + Profile.objects.filter(said_at__lt=before).delete()[0]


def forget_visitors(visitor_ids: Iterable[int]) -> None:
    """Delete page views and profiles of visitors who withdrew consent."""
    ids = list(visitor_ids)
    SeenPage.objects.filter(visitor__in=ids).delete()
    Profile.objects.filter(visitor__in=ids).delete()
