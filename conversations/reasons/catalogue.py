"""The tags of websites: who may use and change them, archiving, and merging two into one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User, Website
from accounts.rights import websites_of, within_token
from conversations.lifecycle.actors import Actor
from conversations.models import ConversationTag, ReasonEvent, ReasonEventKind, Tag
from core.rejection import Rejected

CHUNK = 5000


def changeable_by(user: User) -> QuerySet[Tag]:
    """Return the tags that a user may change: those of the websites that they oversee."""
    return Tag.objects.filter(website__in=websites_of(user).order_by().values("pk"))


def readable_by(user: User) -> QuerySet[Tag]:
    """Return the tags of the websites on which a user answers or which they oversee, archived ones
    too."""
    own = Website.objects.filter(groups__members__user=user)
    both = websites_of(user).order_by().values("pk").union(own.order_by().values("pk"))
    tags = Tag.objects.filter(website__in=list(both.values_list("pk", flat=True)))
    return within_token(tags, user)


def offered_on(website_id: int) -> QuerySet[Tag]:
    """Return the tags that can be added to a website's conversations, by category and name."""
    return Tag.objects.filter(website=website_id, archived_at=None)


def archive(tag: Tag, *, at: datetime) -> None:
    """Offer it no longer. It stays on its conversations and in all figures."""
    if tag.archived_at is None:
        tag.archived_at = at
        tag.save(update_fields=["archived_at"])


def restore(tag: Tag) -> None:
    """Offer an archived tag again; raise ``Rejected`` if it was merged."""
    if tag.merged_into_id is not None:
        text = _("This tag was merged into “%(name)s” and cannot be used again.")
        raise Rejected("merged", text % {"name": tag.merged_into}, 409)
    tag.archived_at = None
    tag.save(update_fields=["archived_at"])


@transaction.atomic
def merge(tag: Tag, *, into: Tag, actor: Actor, at: datetime) -> int:
    """Give all conversations of ``tag`` the tag ``into``, archive ``tag``, and return how many they
    were. A conversation that has both keeps one: it counted once for each, and counts once for
    both. Each gets a line in its record."""
    # Both rows are locked in one order, and against ``tagging.add``, until all marks have moved.
    locked = Tag.objects.select_for_update(no_key=True).filter(pk__in=[tag.pk, into.pk])
    found = {one.pk: one for one in locked.order_by("pk")}
    source, target = found[tag.pk], found[into.pk]
    if source == target or source.website_id != target.website_id:
        raise Rejected("merge", _("Choose another tag of the same website."), 409)
    if source.merged_into_id is not None or target.archived_at is not None:
        raise Rejected("merge", _("One of these tags is archived or was merged already."), 409)
    marks = ConversationTag.objects.filter(tag=source)
    numbers = marks.order_by("conversation").values_list("conversation", flat=True)
    count = 0
    for some in _chunks(numbers.iterator(chunk_size=CHUNK)):
        count += len(some)
        ReasonEvent.objects.bulk_create(
            ReasonEvent(
                conversation_id=number,
                kind=ReasonEventKind.MERGED,
                at=at,
                actor_kind=actor.kind,
                actor_user_id=actor.user_id,
                tag=source,
                into=target,
                before=source.name,
                after=target.name,
            )
            for number in some
        )
    both = ConversationTag.objects.filter(tag=target).values("conversation")
    marks.filter(conversation__in=both).delete()
    marks.update(tag=target)
    source.merged_into, source.archived_at = target, source.archived_at or at
    source.save(update_fields=["merged_into", "archived_at"])
    return count


def _chunks(numbers: Iterator[int]) -> Iterator[list[int]]:
    while some := list(islice(numbers, CHUNK)):
        yield some
