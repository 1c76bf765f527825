"""Notes: writing and reading them, and mentioning colleagues."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import supervision
from accounts.models import Agent, Group
from conversations.facts import AgentMentioned, NoteWritten
from conversations.models import Conversation, Note, Notice, NoticeKind
from core.events import bus
from core.text.text_search import fold

BODY_LIMIT = 2000


@transaction.atomic
def write(conversation_id: int, *, agent_id: int, body: str, at: datetime) -> Note:
    """Create a note. The caller has checked the permission, and that the text has 1 to
    ``BODY_LIMIT`` characters. Agents mentioned by ``@name`` get a notice."""
    note = Note.objects.create(
        conversation_id=conversation_id, agent_id=agent_id, body=body, created_at=at
    )
    conversation = Conversation.objects.only("channel", "agent_id").get(pk=conversation_id)
    called: set[int] = set()
    if "@" in body:
        called = mentioned(body, dict(readers(conversation_id).values_list("pk", "display_name")))
        called.discard(agent_id)
    Notice.objects.bulk_create(
        Notice(
            agent_id=one,
            conversation_id=conversation_id,
            kind=NoticeKind.MENTIONED,
            channel=conversation.channel,
            note=note,
            created_at=at,
        )
        for one in sorted(called)
    )
    bus.publish(
        NoteWritten(conversation_id=conversation_id, agent_id=conversation.agent_id),
        *(AgentMentioned(conversation_id=conversation_id, agent_id=one) for one in sorted(called)),
    )
    return note


def of(conversation_id: int) -> QuerySet[Note]:
    """Return the notes of a conversation with their authors, oldest first."""
    return Note.objects.filter(conversation=conversation_id).select_related("agent")


def readers(conversation_id: int) -> QuerySet[Agent]:
    """Return the agents whom a note can mention: all who may see the conversation
    (``visible_to``)."""
    here = Conversation.objects.filter(pk=conversation_id)
    website_id, group_id = here.values_list("website_id", "group_id").get()
    may_see = (
        Q(pk__in=here.values("agent"))
        | Q(pk__in=Group.members.through.objects.filter(group=group_id).values("agent"))
        | Q(user__in=supervision.overseers_of(website_id, group_id).order_by().values("pk"))
    )
    return Agent.objects.filter(may_see, user__is_active=True)


def mentioned(body: str, names: Mapping[int, str]) -> set[int]:
    """Return the ids of those whom a text mentions by ``@name``, ignoring case and accents. Longer
    names come first, so that "@Anne Marie" does not mention Anne too."""
    left, called = fold(body), set()
    for pk, name in sorted(names.items(), key=lambda one: -len(one[1])):
        left, count = re.subn(rf"(?<!\w)@{re.escape(fold(name))}(?!\w)", " ", left)
        called |= {pk} if count else set()
    # All agents of the same name are mentioned.
    taken = {fold(names[pk]) for pk in called}
    return {pk for pk, name in names.items() if fold(name) in taken}
