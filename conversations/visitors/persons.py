"""The person behind one or more browsers: what they share, and how one becomes another's (C14).

What a person decides (history hidden, consent withdrawn, where to be written to) holds on all of
his browsers: the rows of his visitors are kept equal, so that a statement about one visitor need
not ask for the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from conversations.facts import ConsentChanged, HistoryHidden
from conversations.messages import rejections
from conversations.models import Address, Consent, ConsentKind, Message, Person, Visitor
from conversations.visitors import page_views
from core.events import bus

SPOKEN_FOR = """EXISTS (
    SELECT FROM conversations_visitor reader WHERE reader.token_hash = %(token_hash)s
    AND (reader.id = v.id OR reader.person_id = v.person_id)
)"""
"""The condition of a statement about a visitor ``v``: the bearer is he, or the same person."""

WILLING = "v.withdrawn_at IS NULL"
"""The condition of a statement about a visitor ``v``: he has not withdrawn his consent (R27)."""


def is_willing(visitor: Visitor) -> bool:
    """The question that comes before anything that a visitor sends is stored, whatever it is (C62):
    whether consent has not been withdrawn. Statements ask ``WILLING``."""
    return visitor.withdrawn_at is None


def check_willing(visitor: Visitor | None) -> None:
    """The same; ``Rejected`` (403 ``consent``) where it was withdrawn."""
    if visitor is not None and not is_willing(visitor):
        raise rejections.withdrawn()


def browsers_of(visitor: Visitor) -> QuerySet[Visitor]:
    """All visitors of the same person; of somebody unknown, himself."""
    if visitor.person_id is None:
        return Visitor.objects.filter(pk=visitor.pk)
    return Visitor.objects.filter(person=visitor.person_id)


def lock(visitor: Visitor) -> None:
    """Hold whoever is behind ``visitor``, so that two of his tabs or browsers take turns."""
    if visitor.person_id is None:
        Visitor.objects.select_for_update(no_key=True).get(pk=visitor.pk)
    else:
        Person.objects.select_for_update(no_key=True).get(pk=visitor.person_id)


@transaction.atomic
def link(visitor: Visitor, person: Person) -> None:
    """``visitor`` is ``person`` from now on, with all that he said before he was known."""
    others = list(person.visitors.exclude(pk=visitor.pk).order_by("pk"))
    visitor.person = person
    visitor.name = person.name or visitor.name
    visitor.save(update_fields=["person", "name"])
    hidden = [one.hidden_at for one in [visitor, *others] if one.hidden_at is not None]
    visitor.hidden_at = max(hidden, default=None)
    said = last_word(visitor)
    is_withdrawn = said is not None and said.kind == ConsentKind.WITHDRAWN
    visitor.withdrawn_at = said.given_at if said is not None and is_withdrawn else None
    person.visitors.update(hidden_at=visitor.hidden_at, withdrawn_at=visitor.withdrawn_at)
    if visitor.hidden_at is not None:
        _tell_hidden([one.pk for one in others], visitor.hidden_at)
    _share_address(person)


def last_word(visitor: Visitor) -> Consent | None:
    """What was last said of consent on any of this visitor's browsers; in the order of the record,
    which no clock can disturb."""
    return Consent.objects.filter(visitor__in=browsers_of(visitor)).order_by("-pk").first()


def say(visitor: Visitor, consent: Consent) -> None:
    """Put a consent, or its end, on record; it holds on all browsers. The caller is in a
    transaction and has locked the visitor."""
    consent.visitor = visitor
    consent.save()
    is_withdrawn = consent.kind == ConsentKind.WITHDRAWN
    visitor.withdrawn_at = consent.given_at if is_withdrawn else None
    browsers = browsers_of(visitor)
    browsers.update(withdrawn_at=visitor.withdrawn_at)
    if is_withdrawn:
        page_views.forget_visitors(browsers.values_list("pk", flat=True))
    ids = tuple(browsers.values_list("pk", flat=True))
    bus.publish(ConsentChanged(visitor_ids=ids, is_given=not is_withdrawn))


@transaction.atomic
def hide(visitor: Visitor, *, at: datetime | None) -> None:
    """Hide what was said until ``at`` in this visitor's Messenger; ``None`` shows all (C13)."""
    visitor.hidden_at = at
    browsers = browsers_of(visitor)
    browsers.update(hidden_at=at)
    _tell_hidden(browsers.values_list("pk", flat=True), at)


def unhidden(messages: QuerySet[Message], visitor: Visitor) -> QuerySet[Message]:
    """Those of ``messages`` that ``visitor`` has not hidden (C13), read now."""
    at = Visitor.objects.values_list("hidden_at", flat=True).get(pk=visitor.pk)
    return messages if at is None else messages.filter(created_at__gt=at)


def hidden_since(visitor: Visitor) -> str | None:
    """Up to when the history is hidden, as clients compare it."""
    return visitor.hidden_at.isoformat() if visitor.hidden_at else None


def _tell_hidden(browsers: Iterable[int], at: datetime | None) -> None:
    moment = at.isoformat() if at else None
    bus.publish(HistoryHidden(visitor_ids=tuple(browsers), hidden_at=moment))


def _share_address(person: Person) -> None:
    """The address that was left last is the one of all browsers."""
    last = Address.objects.filter(visitor__person=person).order_by("-given_at", "-pk").first()
    if last is None:
        return
    for visitor in person.visitors.all():
        Address.objects.update_or_create(
            visitor=visitor,
            defaults={
                "email": last.email,
                "wants_mail": last.wants_mail,
                "given_at": last.given_at,
                "refused_at": last.refused_at,
            },
        )
