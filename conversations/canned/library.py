"""The library of canned replies: permissions, search, use and storage."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Agent, User
from accounts.rights import groups_of, websites_of
from conversations.canned import ranking, variables
from conversations.lifecycle.transitions import Refused, Status, Verb
from conversations.messages import attachments, file_types
from conversations.models import Attachment, CannedFile, CannedReply, Conversation
from core.text.text_search import spaced

SEARCHED = 500  # If there are more, the most used are searched.
FILES_LIMIT = 5


@dataclass(frozen=True, slots=True)
class Inserted:
    """A reply for the composer: the text, the variables without a value, the files as clients
    receive them."""

    body: str
    missing: tuple[str, ...]
    attachments: list[dict[str, Any]]


def usable_by(agent: Agent, conversation: Conversation) -> QuerySet[CannedReply]:
    """Return the agent's own replies, those of their groups on the website, and the website's."""
    groups = agent.groups.filter(website=conversation.website_id)
    return CannedReply.objects.filter(
        Q(agent=agent) | Q(group__in=groups.values("pk")) | Q(website=conversation.website_id)
    )


def readable_by(user: User, agent: Agent | None) -> QuerySet[CannedReply]:
    """Return the replies that a user may use anywhere or change, for the library's list."""
    mine = changeable_filter(user, agent)
    if agent is not None:
        mine |= Q(group__in=agent.groups.values("pk"))
        mine |= Q(website__in=agent.groups.values("website"))
    return CannedReply.objects.filter(mine)


def changeable_by(user: User, agent: Agent | None) -> QuerySet[CannedReply]:
    """Return the replies that a user may change: their own, and those of groups and websites that
    they oversee."""
    return CannedReply.objects.filter(changeable_filter(user, agent))


def changeable_filter(user: User, agent: Agent | None) -> Q:
    may = Q(group__in=groups_of(user).values("pk")) | Q(website__in=websites_of(user).values("pk"))
    return may | Q(agent=agent) if agent is not None else may


def search(agent: Agent, conversation: Conversation, query: str) -> list[CannedReply]:
    """Return the replies that match ``query`` in this conversation, best first."""
    rows = usable_by(agent, conversation)
    for word in spaced(query).split():
        rows = rows.filter(words__contains=word)
    fields = ("pk", "name", "shortcut", "folder", "language", "words", "uses")
    some = rows.order_by("-uses", "pk").values_list(*fields)[:SEARCHED]
    order = ranking.rank(
        (ranking.Candidate(*row) for row in some), query, conversation.language or ""
    )
    replies = CannedReply.objects.prefetch_related("files").in_bulk(order)
    return [replies[pk] for pk in order if pk in replies]


def use(reply: CannedReply, conversation: Conversation, agent: Agent, *, at: datetime) -> Inserted:
    """Fill a reply's variables for this conversation and copy its files into attachments.

    Raise ``Refused`` if the conversation is not on the agent's desk.
    """
    if conversation.agent_id != agent.pk or conversation.status != Status.ACTIVE:
        raise Refused(Verb.TAKE, Status(conversation.status))
    filled = variables.fill(reply.body, values_of(conversation, agent))
    CannedReply.objects.filter(pk=reply.pk).update(uses=F("uses") + 1, used_at=at)
    # A website that takes no files gets none this way either.
    attached = reply.files.all() if conversation.website.takes_files else []
    carried = [_attach(file, conversation, agent, at) for file in attached]
    return Inserted(filled.text, filled.missing, [attachments.frame(vars(one)) for one in carried])


def values_of(conversation: Conversation, agent: Agent) -> dict[str, str]:
    """Return the values of the variables. The name of an unnamed visitor is empty."""
    return {
        "visitor_name": conversation.visitor.name,
        "agent_name": agent.display_name,
        "group_name": conversation.group.name if conversation.group else "",
        "website_name": conversation.website.name,
        "conversation_number": f"#{conversation.pk}",
        "page": conversation.page_url,
    }


def _attach(file: CannedFile, conversation: Conversation, agent: Agent, at: datetime) -> Attachment:
    """Create an attachment as if the agent had just uploaded the file. If it is not sent, it is
    deleted like any other."""
    attachment = Attachment(pk=uuid.uuid4(), conversation=conversation, agent=agent, created_at=at)
    for name in ("name", "content_type", "size", "width", "height"):
        setattr(attachment, name, getattr(file, name))
    folder = f"attachments/{conversation.website_id}/{attachment.pk.hex[:2]}/{attachment.pk.hex}"
    folder += f"-{uuid.uuid4().hex[:12]}"
    # A copy, because the message keeps its file when the reply loses it.
    attachment.file = _copy(file.file, f"{folder}/file")
    attachment.thumbnail = _copy(file.thumbnail, f"{folder}/thumbnail") if file.thumbnail else ""
    attachment.save()
    return attachment


def _copy(source: str, target: str) -> str:
    with default_storage.open(source) as original:
        name: str = default_storage.save(target, ContentFile(original.read()))
        return name


@transaction.atomic
def save(
    reply: CannedReply,
    *,
    added: Iterable[file_types.Prepared] = (),
    removed: Iterable[CannedFile] = (),
) -> CannedReply:
    """Save a new or changed reply with its files."""
    reply.words = spaced(f"{reply.shortcut} {reply.name} {reply.folder} {reply.body}")
    reply.save()
    for prepared in added:
        _add_file(reply, prepared)
    _remove_files(removed)
    return reply


@transaction.atomic
def remove(reply: CannedReply) -> None:
    """Delete a reply. Messages sent with it stay."""
    _remove_files(reply.files.all())
    reply.delete()


def _add_file(reply: CannedReply, prepared: file_types.Prepared) -> None:
    folder = f"canned/{uuid.uuid4().hex}"
    stored = CannedFile(
        reply=reply,
        name=prepared.name,
        content_type=prepared.content_type,
        size=len(prepared.content),
        width=prepared.width,
        height=prepared.height,
    )
    stored.file = default_storage.save(f"{folder}/file", ContentFile(prepared.content))
    if prepared.thumbnail is not None:
        stored.thumbnail = default_storage.save(
            f"{folder}/thumbnail", ContentFile(prepared.thumbnail)
        )
    stored.save()


def _remove_files(gone: Iterable[CannedFile]) -> None:
    for file in list(gone):
        file.delete()
        for name in filter(None, (file.file, file.thumbnail)):
            # After the commit: a file without a row is only waste.
            transaction.on_commit(lambda name=name: default_storage.delete(name))  # type: ignore[misc]
