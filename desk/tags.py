"""The tags of a conversation as the desk shows them: those on it, and those it offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from accounts.models import Agent, User
from conversations.models import Conversation, ReasonEvent, ReasonEventKind, Tag
from conversations.reasons import catalogue, record, suggesting
from desk.timeline import names_of_users
from routing.actions import by_supervisor


@dataclass(frozen=True, slots=True)
class TagCategory:
    """The tags that are listed under one heading."""

    name: str
    tags: list[Tag]


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """What one person tagged at one moment, as a line between the messages."""

    pk: int
    at: object
    sentence: str


def may_tag(conversation: Conversation, user: User, agent: Agent | None) -> bool:
    """Return whether a user who sees the conversation may change its tags: who answers there, or
    oversees it."""
    if user.reads_only:
        return False
    return agent is not None or by_supervisor.oversees(conversation, user)


def tags_of(conversation: Conversation) -> list[Tag]:
    """Return the tags on a conversation, archived ones too."""
    return list(Tag.objects.filter(marks__conversation=conversation.pk))


def offered_for(conversation: Conversation) -> list[TagCategory]:
    """Return what can still be added: first what similar conversations had, then by category."""
    present = {tag.pk for tag in tags_of(conversation)}
    tags = [tag for tag in catalogue.offered_on(conversation.website_id) if tag.pk not in present]
    by_id = {tag.pk: tag for tag in tags}
    suggested = [by_id[pk] for pk in suggesting.for_conversation(conversation, by_id)]
    rest = [tag for tag in tags if tag not in suggested]
    categories = [
        TagCategory(name or _("Other tags"), list(some))
        for name, some in groupby(rest, key=lambda tag: tag.category)
    ]
    first = [TagCategory(_("From similar conversations"), suggested)] if suggested else []
    return first + categories


def lines_of(conversation_id: int) -> list[ReasonLine]:
    """Return the record of a conversation as lines. Merges are the website's doing and not shown;
    the tags that somebody added in one go are one line."""
    shown = (ReasonEventKind.TAGGED, ReasonEventKind.UNTAGGED)
    events = list(record.lines_of(conversation_id).filter(kind__in=shown))
    names = names_of_users(event.actor_user_id for event in events)
    lines = []
    for _key, group in groupby(events, key=lambda one: (one.kind, one.at, one.actor_user_id)):
        some = list(group)
        lines.append(ReasonLine(some[0].pk, some[0].at, _sentence(some, names)))
    return lines


def _sentence(events: Iterable[ReasonEvent], names: dict[int, str]) -> str:
    events = list(events)
    first = events[0]
    is_added = first.kind == ReasonEventKind.TAGGED
    tags = ", ".join(event.after if is_added else event.before for event in events)
    if first.actor_user_id is None:
        text = _("Tagged by the bot: %(tags)s") if is_added else _("Tag removed: %(tags)s")
    elif is_added:
        text = _("Tagged by %(by)s: %(tags)s")
    else:
        text = _("Tag removed by %(by)s: %(tags)s")
    return text % {"by": names.get(first.actor_user_id or 0) or _("someone"), "tags": tags}
