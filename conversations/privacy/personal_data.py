"""Personal data: finding it by walking the schema, exporting it and erasing it (B13).

The walk starts at the rows of a person or visitor and follows every foreign key that points to the
rows found. New tables are therefore exported and erased without further code, unless their room has
registered that they outlive erasure (``conversations.privacy.tables``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import EmailField, Max, Min, Model, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.crypto import salted_hmac

from accounts.models import User, Website
from conversations.facts import PersonalDataErased
from conversations.lifecycle.transitions import Status
from conversations.models import (
    Attachment,
    Conversation,
    Erasure,
    InboundEmail,
    InboundMessage,
    Person,
    Visitor,
)
from conversations.privacy.tables import outlives_erasure
from core import idempotency
from core.events import bus

# Credentials, hashes, names in the storage and recorded frames are not exported.
SECRET = {"token_hash", "address_hash", "file", "thumbnail", "frames"}
# Columns that name files in the storage, which are deleted with the row.
FILES: dict[type[Model], tuple[str, ...]] = {
    Attachment: ("file", "thumbnail"),
    InboundEmail: ("file",),
    InboundMessage: ("file",),
}

Rows = dict[type[Model], list[Any]]


class StillOpen(Exception):
    """A data subject with open conversations cannot be erased; ``numbers`` are those."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        super().__init__(", ".join(f"#{number}" for number in numbers))


@dataclass(frozen=True, slots=True)
class Subject:
    """A data subject: a person with all their visitors, or one unknown visitor."""

    website: Website
    name: str
    visitors: list[int]
    persons: list[int]

    @property
    def hash(self) -> str:
        """The keyed hash that identifies the subject in the record of erasures."""
        text = f"{self.website.key} {self.name}"
        return salted_hmac("causerie.erasure", text, algorithm="sha256").hexdigest()


def of_person(person: Person) -> Subject:
    visitors = list(person.visitors.values_list("pk", flat=True))
    return Subject(person.website, person.external_id, visitors, [person.pk])


def of_visitor(visitor: Visitor) -> Subject:
    """Return the visitor as a subject, or the person behind them with all their visitors."""
    if visitor.person is not None:
        return of_person(visitor.person)
    return Subject(visitor.website, str(visitor.public_id), [visitor.pk], [])


def export(subject: Subject) -> dict[str, Any]:
    """Return all stored data by table, as plain JSON. Files are listed, not included (GDPR 15,
    20)."""
    rows = _walk({Person: subject.persons, Visitor: subject.visitors}, all_tables=True)
    return {
        "website": subject.website.name,
        "subject": subject.name,
        "tables": {
            model._meta.label_lower: [_plain(row) for row in _rows(model, ids).order_by("pk")]
            for model, ids in rows.items()
            if ids
        },
    }


@transaction.atomic
def erase(subject: Subject, *, by: User | None, at: datetime) -> Erasure:
    """Delete all data, files included, and record the erasure (GDPR 17). Raise ``StillOpen`` if a
    conversation is not closed. Figures no longer count the deleted rows."""
    mine = Conversation.objects.filter(visitor__in=subject.visitors).order_by("pk")
    numbers = list(
        mine.select_for_update().exclude(status=Status.CLOSED).values_list("pk", flat=True)
    )
    if numbers:
        raise StillOpen(numbers)
    rows = _walk({Person: subject.persons, Visitor: subject.visitors})
    _announce(subject.website, rows)
    counted = _delete(rows)
    return Erasure.objects.create(
        website=subject.website, subject=subject.hash, erased_at=at, erased_by=by, rows=counted
    )


def expired(website: Website, *, at: datetime) -> QuerySet[Visitor]:
    """Return the visitors who have been inactive for longer than the website's retention period."""
    if website.retention_days is None:
        return Visitor.objects.none()
    limit = at - timedelta(days=website.retention_days)
    visitors = website.visitors.annotate(last_closed=Max("conversations__closed_at"))
    is_open = ~Q(conversations__status=Status.CLOSED) & Q(conversations__isnull=False)
    old = Q(last_closed__lt=limit) | Q(last_closed=None, created_at__lt=limit)
    return visitors.filter(old).exclude(pk__in=website.visitors.filter(is_open).values("pk"))


@transaction.atomic
def forget(website: Website, visitors: list[int]) -> dict[str, int]:
    """Delete visitors of a website whose retention period has ended, and persons without any
    visitor left."""
    persons = list(
        Visitor.objects.filter(pk__in=visitors, person__isnull=False).values_list(
            "person", flat=True
        )
    )
    rows = _walk({Visitor: visitors})
    _announce(website, rows)
    counted = _delete(rows)
    Person.objects.filter(visitors=None, pk__in=persons).delete()
    return counted


def address_hash(email: str) -> str:
    """Return the keyed hash by which other rooms recognize an erased e-mail address."""
    text = email.strip().lower()
    return salted_hmac("causerie.erased-address", text, algorithm="sha256").hexdigest()


def _announce(website: Website, rows: Rows) -> None:
    """Tell the rooms that hold copies outside these tables, such as written files."""
    if not any(rows.values()):
        return
    days = _rows(Conversation, rows.get(Conversation, [])).aggregate(
        first=Min("opened_at"), last=Max(Coalesce("closed_at", "opened_at"))
    )
    first, last = (days[name].date().isoformat() if days[name] else "" for name in days)
    hashes = {
        address_hash(email)
        for model, ids in rows.items()
        for field in model._meta.concrete_fields
        if isinstance(field, EmailField)
        for email in _rows(model, ids).values_list(field.attname, flat=True)
        if email
    }
    bus.publish(PersonalDataErased(website.pk, first, last, tuple(sorted(hashes))))


def _walk(roots: Rows, *, all_tables: bool = False) -> Rows:
    """Return the ids of all rows that refer to the roots, directly or through other tables.

    Without ``all_tables``, the tables that outlive erasure are left out.
    """
    rows: Rows = {model: list(ids) for model, ids in roots.items()}
    todo = [(model, ids) for model, ids in rows.items() if ids]
    while todo:
        model, ids = todo.pop(0)
        for relation in model._meta.related_objects:
            other: Any = relation.related_model
            if outlives_erasure(other) and not all_tables:
                continue
            same = {f"{relation.field.name}__in": ids}
            known = set(rows.get(other, []))
            pointing = _all(other).filter(**same).values_list("pk", flat=True)
            more = [pk for pk in pointing if pk not in known]
            if more:
                rows.setdefault(other, []).extend(more)
                todo.append((other, more))
    return rows


def _delete(rows: Rows) -> dict[str, int]:
    """Delete the rows, in the order of their foreign keys, and then their files."""
    files = [
        name
        for model, columns in FILES.items()
        for row in _rows(model, rows.get(model, [])).values_list(*columns)
        for name in row
        if name
    ]
    with connection.cursor() as cursor:  # The ledger's trigger permits deletion only with this.
        cursor.execute("SELECT set_config('causerie.erasing', 'on', true)")
    idempotency.forget_bodies()
    counted = {}
    for model in _in_order(rows):
        _rows(model, rows[model]).delete()
        counted[model._meta.label_lower] = len(rows[model])
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('causerie.erasing', 'off', true)")
    transaction.on_commit(lambda: _delete_files(files))
    return counted


def _delete_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _in_order(rows: Rows) -> Iterator[type[Model]]:
    """Yield each model before those that it refers to."""
    left = [model for model, ids in rows.items() if ids]
    while left:
        model = next(one for one in left if not _is_needed(one, left))
        left.remove(model)
        yield model


def _is_needed(model: type[Model], left: list[type[Model]]) -> bool:
    pointing = {relation.related_model for relation in model._meta.related_objects}
    return any(other in pointing and other is not model for other in left)


def _all(model: type[Model]) -> QuerySet[Any]:
    return model._base_manager.all()


def _rows(model: type[Model], ids: list[Any]) -> QuerySet[Any]:
    return _all(model).filter(pk__in=ids)


def _plain(row: Model) -> dict[str, Any]:
    return {
        field.attname: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in SECRET
    }
