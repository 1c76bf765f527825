"""What is kept of somebody: found by walking the schema, handed out, erased (B13).

The walk starts at a person's or visitor's rows and follows every foreign key that points to what
it has found. A new table is therefore part of the export and of the erasure from the day on which
it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Max, Model, Q, QuerySet
from django.utils.crypto import salted_hmac

from accounts.models import User, Website
from conversations.lifecycle.transitions import Status
from conversations.models import (
    Attachment,
    Conversation,
    Erasure,
    InboundEmail,
    Person,
    Visitor,
)

# Sums that were bought stay, without whose they were: the books need them.
KEPT = {"reporting.transaction", "reporting.refund", "reporting.claim"}
# What opens something or compares people is no information about them.
SECRET = {"token_hash", "address_hash", "file", "thumbnail"}
# Which columns name files in the storage, to be deleted with their row.
FILES: dict[type[Model], tuple[str, ...]] = {
    Attachment: ("file", "thumbnail"),
    InboundEmail: ("file",),
}

Rows = dict[type[Model], list[Any]]


class StillOpen(Exception):
    """Nothing is erased while somebody is being answered; ``numbers`` are the conversations."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        super().__init__(", ".join(f"#{number}" for number in numbers))


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data: all browsers of a person, or one visitor who is nobody known."""

    website: Website
    name: str
    visitors: list[int]
    persons: list[int]

    @property
    def hash(self) -> str:
        """What names the subject on the record of erasures."""
        text = f"{self.website.key} {self.name}"
        return salted_hmac("causerie.erasure", text, algorithm="sha256").hexdigest()


def of_person(person: Person) -> Subject:
    visitors = list(person.visitors.values_list("pk", flat=True))
    return Subject(person.website, person.external_id, visitors, [person.pk])


def of_visitor(visitor: Visitor) -> Subject:
    """The visitor; where he is known, the person with all his browsers."""
    if visitor.person is not None:
        return of_person(visitor.person)
    return Subject(visitor.website, str(visitor.public_id), [visitor.pk], [])


def export(subject: Subject) -> dict[str, Any]:
    """All that is kept, by table, as plain JSON; files are listed, not contained (GDPR 15, 20)."""
    found = _walk({Person: subject.persons, Visitor: subject.visitors}, kept=True)
    return {
        "website": subject.website.name,
        "subject": subject.name,
        "tables": {
            model._meta.label_lower: [_plain(row) for row in _rows(model, ids).order_by("pk")]
            for model, ids in found.items()
            if ids
        },
    }


@transaction.atomic
def erase(subject: Subject, *, by: User | None, at: datetime) -> Erasure:
    """Delete it all, files included, and keep the proof (GDPR 17). ``StillOpen`` where a
    conversation is not closed. Figures of the past no longer count what is gone."""
    mine = Conversation.objects.filter(visitor__in=subject.visitors).order_by("pk")
    numbers = list(
        mine.select_for_update().exclude(status=Status.CLOSED).values_list("pk", flat=True)
    )
    if numbers:
        raise StillOpen(numbers)
    counted = _delete(_walk({Person: subject.persons, Visitor: subject.visitors}))
    return Erasure.objects.create(
        website=subject.website, subject=subject.hash, erased_at=at, erased_by=by, rows=counted
    )


def expired(website: Website, *, at: datetime) -> QuerySet[Visitor]:
    """Visitors of whom nothing has been heard for longer than the website keeps them."""
    if website.retention_days is None:
        return Visitor.objects.none()
    limit = at - timedelta(days=website.retention_days)
    visitors = website.visitors.annotate(last_closed=Max("conversations__closed_at"))
    is_open = ~Q(conversations__status=Status.CLOSED) & Q(conversations__isnull=False)
    old = Q(last_closed__lt=limit) | Q(last_closed=None, created_at__lt=limit)
    return visitors.filter(old).exclude(pk__in=website.visitors.filter(is_open).values("pk"))


@transaction.atomic
def forget(visitors: list[int]) -> dict[str, int]:
    """Delete visitors whose time is over, and persons of whom no browser is left."""
    persons = list(
        Visitor.objects.filter(pk__in=visitors, person__isnull=False).values_list(
            "person", flat=True
        )
    )
    counted = _delete(_walk({Visitor: visitors}))
    Person.objects.filter(visitors=None, pk__in=persons).delete()
    return counted


def _walk(roots: Rows, *, kept: bool = False) -> Rows:
    """The ids of all rows that point, over any number of tables, to the roots."""
    found: Rows = {model: list(ids) for model, ids in roots.items()}
    todo = [(model, ids) for model, ids in found.items() if ids]
    while todo:
        model, ids = todo.pop(0)
        for relation in model._meta.related_objects:
            other: Any = relation.related_model
            if other._meta.label_lower in KEPT and not kept:
                continue
            same = {f"{relation.field.name}__in": ids}
            known = set(found.get(other, []))
            pointing = _all(other).filter(**same).values_list("pk", flat=True)
            more = [pk for pk in pointing if pk not in known]
            if more:
                found.setdefault(other, []).extend(more)
                todo.append((other, more))
    return found


def _delete(found: Rows) -> dict[str, int]:
    """Delete the rows, those that point to others first, and then their files."""
    files = [
        name
        for model, columns in FILES.items()
        for row in _rows(model, found.get(model, [])).values_list(*columns)
        for name in row
        if name
    ]
    with connection.cursor() as cursor:  # the ledger lets go of its lines for this only
        cursor.execute("SELECT set_config('causerie.erasing', 'on', true)")
    counted = {}
    for model in _in_order(found):
        _rows(model, found[model]).delete()
        counted[model._meta.label_lower] = len(found[model])
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('causerie.erasing', 'off', true)")
    transaction.on_commit(lambda: _delete_files(files))
    return counted


def _delete_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _in_order(found: Rows) -> Iterator[type[Model]]:
    """Each model before those that it points to."""
    left = [model for model, ids in found.items() if ids]
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
