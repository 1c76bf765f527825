"""The person behind one or more visitors: what these share, and how they are linked (C14).

What a person decides (hidden history, withdrawn consent, e-mail address) applies to all of their
visitors. The rows are kept equal, so that a query about one visitor need not read the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from conversations.facts import BrowserLinked, ConsentChanged, HistoryHidden
from conversations.messages import rejections
from conversations.models import Address, Consent, ConsentKind, Message, Person, Visitor
from conversations.visitors import page_views
from core.db import bulk_sql
from core.events import bus

SPOKEN_FOR = """EXISTS (
    SELECT FROM conversations_visitor reader WHERE reader.token_hash = %(token_hash)s
    AND (reader.id = v.id OR reader.person_id = v.person_id)
)"""
"""An SQL condition on a visitor ``v``: the token is theirs, or that of the same person."""

WILLING = "v.withdrawn_at IS NULL"
"""An SQL condition on a visitor ``v``: they have not withdrawn consent (R27)."""


def is_willing(visitor: Visitor) -> bool:
    """Return whether the visitor has not withdrawn consent, which is checked before anything they
    send is stored (C62). SQL uses ``WILLING``."""
    return visitor.withdrawn_at is None


def check_willing(visitor: Visitor | None) -> None:
    """Raise ``Rejected`` (403 ``consent``) if the visitor has withdrawn consent."""
    if visitor is not None and not is_willing(visitor):
        raise rejections.withdrawn()


def browsers_of(visitor: Visitor) -> QuerySet[Visitor]:
    """Return all visitors of the same person, or the visitor alone if they are unknown."""
    if visitor.person_id is None:
        return Visitor.objects.filter(pk=visitor.pk)
    return Visitor.objects.filter(person=visitor.person_id)


def lock(visitor: Visitor) -> None:
    """Lock the person behind ``visitor``, or the visitor, so that two of their tabs or browsers
    take turns."""
    model, key = (Visitor, visitor.pk) if visitor.person_id is None else (Person, visitor.person_id)
    # Only the key: the row is locked, not read.
    model.objects.select_for_update(no_key=True).values_list("pk").get(pk=key)


def describe(person: Person, *, name: str, profile: dict[str, Any]) -> None:
    """Store what the brand says of a person. Their visitors get the name, if there is one. The
    caller is in a transaction and has locked the person."""
    if (person.name, person.profile) == (name, profile):
        return
    person.name, person.profile = name, profile
    person.save(update_fields=["name", "profile"])
    if name:
        person.visitors.update(name=name)


@transaction.atomic
def link(visitor: Visitor, person: Person) -> None:
    """Link ``visitor`` to ``person``, with all their earlier conversations."""
    others = list(person.visitors.exclude(pk=visitor.pk).order_by("pk"))
    visitor.person = person
    visitor.name = person.name or visitor.name
    visitor.save(update_fields=["person", "name"])
    hidden = [one.hidden_at for one in [visitor, *others] if one.hidden_at is not None]
    # The latest moment hides the most: no browser may show what another has hidden.
    visitor.hidden_at = max(hidden, default=None)
    consent = last_consent(visitor)
    is_withdrawn = consent is not None and consent.kind == ConsentKind.WITHDRAWN
    visitor.withdrawn_at = consent.given_at if consent is not None and is_withdrawn else None
    person.visitors.update(hidden_at=visitor.hidden_at, withdrawn_at=visitor.withdrawn_at)
    if visitor.hidden_at is not None:
        _announce_hidden([one.pk for one in others], visitor.hidden_at)
    if others:
        bus.publish(BrowserLinked(visitor_ids=tuple(one.pk for one in others)))
    _share_address(person)


def last_consent(visitor: Visitor) -> Consent | None:
    """Return the last consent record of the person. The order is by id, which does not depend on
    clocks."""
    return Consent.objects.filter(visitor__in=browsers_of(visitor)).order_by("-pk").first()


def record(visitor: Visitor, consent: Consent) -> None:
    """Record a consent or its withdrawal, which applies to all visitors of the person. The caller
    is in a transaction and has locked the visitor."""
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


def record_first(visitor: Visitor, consent: Consent) -> None:
    """Record the consent of a visitor who was created in this transaction, and whom nobody can know
    yet."""
    consent.visitor = visitor
    bulk_sql.insert([consent])


@transaction.atomic
def hide(visitor: Visitor, *, at: datetime | None) -> None:
    """Hide messages up to ``at`` in this visitor's Messenger; ``None`` shows all (C13)."""
    visitor.hidden_at = at
    browsers = browsers_of(visitor)
    browsers.update(hidden_at=at)
    _announce_hidden(browsers.values_list("pk", flat=True), at)


def unhidden(messages: QuerySet[Message], visitor: Visitor) -> QuerySet[Message]:
    """Filter ``messages`` that ``visitor`` has not hidden (C13). It reads the current setting."""
    at = Visitor.objects.values_list("hidden_at", flat=True).get(pk=visitor.pk)
    return messages if at is None else messages.filter(created_at__gt=at)


def hidden_since(visitor: Visitor) -> str | None:
    """Return up to when the history is hidden, in ISO 8601, as clients compare it."""
    return visitor.hidden_at.isoformat() if visitor.hidden_at else None


def _announce_hidden(browsers: Iterable[int], at: datetime | None) -> None:
    moment = at.isoformat() if at else None
    bus.publish(HistoryHidden(visitor_ids=tuple(browsers), hidden_at=moment))


def _share_address(person: Person) -> None:
    """Copy the address that was left last to all visitors of the person."""
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
