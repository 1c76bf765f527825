"""Adding tags to a conversation and removing them, with a line in the record for each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from conversations.facts import ReasonsChanged
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import Actor
from conversations.models import Conversation, ConversationTag, ReasonEvent, ReasonEventKind, Tag
from core.db.retry import retried
from core.events import bus
from core.rejection import Rejected

TAG_LIMIT = 20
"""Tags on a conversation."""


@retried
def add(conversation_id: int, tag_ids: Collection[int], *, actor: Actor, at: datetime) -> list[Tag]:
    """Add tags; return those that were not on the conversation before. Raise ``Rejected`` if one is
    archived or of another website. In every state, closed too: reasons are often known late."""
    conversation = verbs.lock(conversation_id)
    wanted = set(tag_ids)
    # The lock keeps a merge out until this commits: it would miss a row that it cannot see yet.
    locked = Tag.objects.select_for_update(no_key=True).order_by("pk")
    tags = list(locked.filter(pk__in=wanted, website=conversation.website_id, archived_at=None))
    if len(tags) < len(wanted):
        text = _("This tag is archived or belongs to another website. Choose another one.")
        raise Rejected("tag", text, 409)
    present = set(
        ConversationTag.objects.filter(conversation=conversation_id).values_list("tag", flat=True)
    )
    new = [tag for tag in tags if tag.pk not in present]
    if len(present) + len(new) > TAG_LIMIT:
        text = _("A conversation can have up to %(limit)d tags. Remove one first.")
        raise Rejected("too_many_tags", text % {"limit": TAG_LIMIT}, 409)
    ConversationTag.objects.bulk_create(
        ConversationTag(conversation=conversation, tag=tag, tagged_at=at) for tag in new
    )
    _record(conversation, ReasonEventKind.TAGGED, new, actor=actor, at=at)
    return new


@retried
def remove(conversation_id: int, tag_id: int, *, actor: Actor, at: datetime) -> bool:
    """Remove a tag, archived or not; return whether it was on the conversation."""
    conversation = verbs.lock(conversation_id)
    tag = Tag.objects.filter(pk=tag_id, website=conversation.website_id).first()
    mine = ConversationTag.objects.filter(conversation=conversation_id, tag=tag_id)
    count, _by_model = mine.delete()
    if tag is None or not count:
        return False
    _record(conversation, ReasonEventKind.UNTAGGED, [tag], actor=actor, at=at)
    return True


def _record(
    conversation: Conversation,
    kind: ReasonEventKind,
    tags: Collection[Tag],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    if not tags:
        return
    is_added = kind == ReasonEventKind.TAGGED
    ReasonEvent.objects.bulk_create(
        ReasonEvent(
            conversation=conversation,
            kind=kind,
            at=at,
            actor_kind=actor.kind,
            actor_user_id=actor.user_id,
            tag=tag,
            before="" if is_added else tag.name,
            after=tag.name if is_added else "",
        )
        for tag in tags
    )
    bus.publish(ReasonsChanged(conversation.pk, conversation.agent_id))
