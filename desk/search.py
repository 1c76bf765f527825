"""Search of conversations by words, visitor or number, among those that the user may see.

Newest first and page by page, each from the number at which the last one ended. How words are
matched is in docs/adr/0021.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.utils import OperationalError
from django.utils import timezone
from psycopg.errors import QueryCanceled

from accounts import rights
from accounts.models import Agent, Group, User
from conversations.models import (
    Address,
    Contact,
    Conversation,
    ConversationTag,
    Message,
    Note,
    Person,
    Tag,
    Visitor,
)
from conversations.reasons import catalogue
from conversations.visitors import aliases
from core.text.search_expressions import Saying, Words
from core.text.text_search import Piece, Term, cut, sought

PAGE = 25
PATIENCE = "4s"  # a search that takes longer must be narrowed, so that other work goes on
NUMBER = re.compile(r"#?(\d{1,15})")


class TooMuch(Exception):
    """The matches cannot be sorted within ``PATIENCE``: the search must be narrowed."""


@dataclass(frozen=True, slots=True)
class Search:
    """The criteria; dates are days in the reader's time zone, both included."""

    text: str = ""
    status: str = ""
    group: Group | int | None = None
    agent: Agent | int | None = None
    tag: Tag | int | None = None
    since: date | None = None
    until: date | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One matching conversation, and the text that shows why."""

    conversation: Conversation
    is_mine: bool
    author: str = ""
    said_at: datetime | None = None
    excerpt: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[SearchResult]
    before: int | None = None
    """Where the next page begins; None if there is none."""


def groups_for(user: User) -> QuerySet[Group]:
    """Return the groups by which a user may narrow a search: those of what they see."""
    mine = Q(members__user=user) | Q(pk__in=rights.groups_of(user).order_by().values("pk"))
    groups = Group.objects.filter(pk__in=Group.objects.filter(mine).values("pk"))
    return groups.select_related("website").order_by("website__name", "name")


def agents_for(user: User) -> QuerySet[Agent]:
    """Return the agents by which a user may narrow a search: the members of these groups."""
    members = Group.members.through.objects.filter(group__in=groups_for(user).order_by())
    return Agent.objects.filter(pk__in=members.values("agent"))


def tags_for(user: User) -> QuerySet[Tag]:
    """Return the tags by which a user may narrow a search: those of their websites. A merged one
    is on no conversation any more."""
    tags = catalogue.readable_by(user).filter(merged_into=None).select_related("website")
    return tags.order_by("website__name", "category", "name")


def find(search: Search, user: User) -> Page:
    """Return one page of what ``user`` may see; raise ``TooMuch`` if it takes too long."""
    with bounded():
        return _page(search, user)


@contextmanager
def bounded() -> Iterator[None]:
    """Run searches for at most ``PATIENCE`` each; raise ``TooMuch`` if one takes longer."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooMuch from error
        raise


def _page(search: Search, user: User) -> Page:
    terms = sought(search.text)
    rows = matching(search, terms, Conversation.objects.visible_to(user))
    if search.before is not None:
        rows = rows.filter(pk__lt=search.before)
    rows = rows.select_related("visitor", "group", "agent__user").order_by("-pk")
    matches = list(rows[: PAGE + 1])
    page, more = matches[:PAGE], matches[PAGE:]
    excerpts = _excerpts([row.pk for row in page], terms)
    return Page(
        rows=[
            SearchResult(
                row,
                row.agent is not None and row.agent.user_id == user.pk,
                *excerpts.get(row.pk, ()),
            )
            for row in page
        ],
        before=page[-1].pk if more else None,
    )


def matching(
    search: Search, terms: list[Term], rows: QuerySet[Conversation]
) -> QuerySet[Conversation]:
    """Return those of ``rows`` that meet every criterion; ``terms`` are the words of its text."""
    text = search.text.strip()
    if text:
        rows = rows.filter(pk__in=_by_text(text, terms))
    if search.status:
        rows = rows.filter(status=search.status)
    if search.group:
        rows = rows.filter(group=search.group)
    if search.agent:
        has_held = Contact.objects.filter(agent=search.agent).values("conversation")
        rows = rows.filter(Q(agent=search.agent) | Q(pk__in=has_held))
    if search.tag:
        rows = rows.filter(
            pk__in=ConversationTag.objects.filter(tag=search.tag).values("conversation")
        )
    if search.since:
        rows = rows.filter(opened_at__gte=_midnight(search.since))
    if search.until:
        rows = rows.filter(opened_at__lt=_midnight(search.until + timedelta(days=1)))
    return rows


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _by_text(text: str, terms: list[Term]) -> QuerySet[Any, Any]:
    """Return the numbers of conversations that match a text.

    Their messages or notes contain it, it is their visitor's name or address, the brand knows the
    customer by it, or it is their number, here or where they were imported from. A union: each part
    is answered by its own index.
    """
    number = NUMBER.fullmatch(text)
    numbers = [int(number[1])] if number else []
    parts: list[QuerySet[Any, Any]] = [
        Conversation.objects.filter(pk__in=numbers).values_list("pk"),
        # The number that an imported one had elsewhere: customers go on naming it.
        Conversation.objects.filter(~Q(imported_from=""), imported_id=text).values_list("pk"),
    ]
    if not terms:
        return parts[0]
    visitors = [
        _saying(Address, terms, "email").values("visitor"),
        _saying(Visitor.objects.exclude(name=""), terms, "name").values("pk"),
        *(
            Visitor.objects.filter(person__in=_saying(Person, terms, column)).values("pk")
            for column in ("external_id", KT("profile__email"))
        ),
    ]
    parts += [
        _saying(Message, terms).values_list("conversation"),
        _saying(Note, terms).values_list("conversation"),
    ]
    if alias := aliases.range_of(text):
        visitors.append(Visitor.objects.filter(name="", public_id__range=alias).values("pk"))
    parts += [Conversation.objects.filter(visitor__in=some).values_list("pk") for some in visitors]
    united: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True)
    return united


def _saying(rows: Any, terms: list[Term], column: Any = "body") -> QuerySet[Any]:
    queryset: QuerySet[Any] = rows if isinstance(rows, QuerySet) else rows.objects.order_by()
    return queryset.filter(Saying(Words(column), terms))


def _excerpts(
    numbers: Iterable[int], terms: list[Term]
) -> dict[int, tuple[str, datetime, list[Piece]]]:
    """Return, by conversation, its last message with the words, or such a note, or its last
    message.

    A constant number of queries for a page.
    """
    excerpts: dict[int, tuple[str, datetime, list[Piece]]] = {}
    numbers = set(numbers)
    if terms:
        messages = _saying(Message, terms).filter(conversation__in=numbers)
        _add_excerpts(excerpts, messages.order_by("conversation", "-seq"), terms)
        notes = _saying(Note, terms).filter(conversation__in=numbers - excerpts.keys())
        _add_excerpts(excerpts, notes.order_by("conversation", "-pk"), terms)
    last = Message.objects.filter(conversation__in=numbers - excerpts.keys())
    _add_excerpts(excerpts, last.order_by("conversation", "-seq"), terms)
    return excerpts


def _add_excerpts(
    excerpt: dict[int, tuple[str, datetime, list[Piece]]], rows: QuerySet[Any], terms: list[Term]
) -> None:
    for row in rows.distinct("conversation"):
        author = row.author if isinstance(row, Message) else "note"
        excerpt[row.conversation_id] = (author, row.created_at, cut(row.body, terms))
