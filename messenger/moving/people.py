"""Storing people: visitors, with their addresses and consents, and the customers behind them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import Website
from conversations.models import Address, Consent, Erasure, Person, Visitor
from conversations.privacy.personal_data import Subject
from conversations.visitors import persons
from messenger.moving.form import ConsentLine, PersonLine, Read
from messenger.moving.identifiers import OURS, derived
from messenger.moving.report import Report
from messenger.website_texts import sha256_of

ERASED = "was erased from this website, and stays so"


class People:
    """Stores the people of a source, and finds the visitors of its conversations."""

    def __init__(self, website: Website, source: str, report: Report, *, at: datetime) -> None:
        self._website = website
        self._source = source
        self._report = report
        self._at = at
        self._first_new = (Visitor.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
        self._erased: set[str] = set()
        self._made: set[int] = set()

    def visitor_ids(self, names: Iterable[str]) -> dict[str, uuid.UUID]:
        """Return the id of each visitor by the source's. Our own ids stay, unless a visitor of
        another website has them: a copy of a website can be imported beside the first one."""
        key = self._website.key
        found = {name: derived(key, self._source, "person", name) for name in names}
        if self._source == OURS:
            own = {name: uuid.UUID(name) for name in found if _is_uuid(name)}
            taken = Visitor.objects.filter(public_id__in=own.values())
            elsewhere = set(
                taken.exclude(website=self._website).values_list("public_id", flat=True)
            )
            found |= {name: one for name, one in own.items() if one not in elsewhere}
        return found

    def known(self, names: Iterable[str]) -> dict[str, int]:
        """Return the visitors who are stored, by the source's id."""
        ids = self.visitor_ids(names)
        rows = Visitor.objects.filter(website=self._website, public_id__in=ids.values())
        stored = dict(rows.values_list("public_id", "pk"))
        return {name: stored[one] for name, one in ids.items() if one in stored}

    def erased_ids(self, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Return the visitors among ``ids`` whose data was erased here."""
        hashes = {self._hash(str(one)): one for one in ids}
        return {hashes[one] for one in self._among(hashes)}

    def erased(self, names: Iterable[str]) -> set[str]:
        """Return whose data was erased here: an import must not bring it back."""
        ids = {one: name for name, one in self.visitor_ids(names).items()}
        return {ids[one] for one in self.erased_ids(ids)} | (self._erased & set(ids.values()))

    @transaction.atomic
    def store(self, reads: Sequence[Read]) -> None:
        """Store the lines of people who are not here yet."""
        lines = [(one, _line(one)) for one in reads]
        ids = self.visitor_ids(line.id for _one, line in lines)
        outside = {line.external_id: self._hash(line.external_id) for _one, line in lines}
        gone = set(self._among(outside.values()))
        self._erased |= {line.id for _one, line in lines if outside[line.external_id] in gone}
        erased = self.erased(ids)
        known = self.known(ids)
        new: list[tuple[Read, PersonLine]] = []
        seen: set[str] = set()
        for one, line in lines:
            if line.id in seen or known.get(line.id, 0) >= self._first_new:
                self._report.refuse(one.place, one.type, line.id, "this id occurs twice")
            elif line.id in known:
                self._report.known["person"] += 1
            elif line.id in erased:
                self._report.refuse(one.place, one.type, line.id, ERASED)
            else:
                new.append((one, line))
            seen.add(line.id)
        if new:
            self._add(new, ids)

    def anonymous(self, names: Iterable[tuple[uuid.UUID, str, datetime]]) -> dict[uuid.UUID, int]:
        """Return a visitor for each conversation without a person: (id, language, since when)."""
        wanted = list(names)
        Visitor.objects.bulk_create(
            [
                self._visitor(public_id, language=language, created_at=at)
                for public_id, language, at in wanted
            ],
            ignore_conflicts=True,
        )
        rows = Visitor.objects.filter(public_id__in=[public_id for public_id, *_rest in wanted])
        return dict(rows.values_list("public_id", "pk"))

    def _add(self, new: list[tuple[Read, PersonLine]], ids: dict[str, uuid.UUID]) -> None:
        behind, are_new = self._persons(new)
        visitors = [self._visitor_of(line, ids[line.id], behind, are_new) for _one, line in new]
        Visitor.objects.bulk_create(visitors)
        addresses, consents = [], []
        for (one, line), visitor in zip(new, visitors, strict=True):
            self._report.taken["person"] += 1
            for change in one.changes:
                self._report.change(one.place, one.type, line.id, change)
            if line.email:
                given_at = line.email_given_at or visitor.created_at
                addresses.append(
                    Address(
                        visitor=visitor,
                        email=line.email,
                        wants_mail=line.wants_mail,
                        given_at=given_at,
                    )
                )
            if line.external_id and line.external_id not in are_new:
                # What they decided here, and what the brand says of them here, stands.
                persons.link(visitor, behind[line.external_id])
                self._report.change(
                    one.place,
                    one.type,
                    line.id,
                    "the customer is known here: name, profile and consents are those here",
                )
            else:
                consents += [_consent(visitor, consent) for consent in line.consents]
        Address.objects.bulk_create(addresses)
        Consent.objects.bulk_create(consents)
        self._agree([behind[name] for name in are_new])

    def _persons(self, new: list[tuple[Read, PersonLine]]) -> tuple[dict[str, Person], set[str]]:
        """Return the customers by their external ids, and which of them are new."""
        wanted = {line.external_id: line for _one, line in new if line.external_id}
        rows = Person.objects.filter(website=self._website, external_id__in=wanted)
        found = {person.external_id: person for person in rows}
        added = [
            Person(
                website=self._website,
                external_id=name,
                name=line.name,
                profile=line.profile,
                created_at=line.created_at or self._at,
            )
            for name, line in wanted.items()
            if name not in found
        ]
        Person.objects.bulk_create(added)
        # Those of an earlier batch of this run are as new: their visitors only agree.
        fresh = {name for name, person in found.items() if person.pk in self._made}
        self._made |= {person.pk for person in added}
        names = {person.external_id for person in added}
        return found | {person.external_id: person for person in added}, names | fresh

    def _agree(self, people: Sequence[Person]) -> None:
        """Let all visitors of a customer have hidden and withdrawn the same. The latest moment
        stands: it hides the most, and a withdrawal is never undone by an import."""
        several = Visitor.objects.filter(person__in=people).values("person")
        for row in several.annotate(hidden=Max("hidden_at"), withdrawn=Max("withdrawn_at")):
            if row["hidden"] or row["withdrawn"]:
                Visitor.objects.filter(person=row["person"]).update(
                    hidden_at=row["hidden"], withdrawn_at=row["withdrawn"]
                )

    def _visitor_of(
        self,
        line: PersonLine,
        public_id: uuid.UUID,
        behind: dict[str, Person],
        are_new: set[str],
    ) -> Visitor:
        visitor = self._visitor(
            public_id, language=line.language, created_at=line.created_at or self._at
        )
        visitor.name = line.name
        if line.external_id in are_new:
            visitor.person = behind[line.external_id]
        visitor.hidden_at, visitor.withdrawn_at = line.hidden_at, line.withdrawn_at
        return visitor

    def _visitor(self, public_id: uuid.UUID, *, language: str, created_at: datetime) -> Visitor:
        return Visitor(
            public_id=public_id,
            website=self._website,
            # No token has this hash: nobody reads along until a signed identity links them.
            token_hash=secrets.token_hex(32),
            language=language,
            created_at=created_at,
        )

    def _hash(self, name: str) -> str:
        return Subject(self._website, name, [], []).hash

    def _among(self, hashes: Iterable[str]) -> list[str]:
        rows = Erasure.objects.filter(website=self._website, subject__in=list(hashes))
        return list(rows.values_list("subject", flat=True))


def _is_uuid(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _line(one: Read) -> PersonLine:
    assert isinstance(one.record, PersonLine)
    return one.record


def _consent(visitor: Visitor, line: ConsentLine) -> Consent:
    return Consent(
        visitor=visitor,
        kind=line.kind,
        version=line.version,
        language=line.language,
        text=line.text,
        text_sha256=sha256_of(line.text),
        given_at=line.given_at,
        covers_mirroring=line.covers_mirroring,
        covers_stored_looks=line.covers_stored_looks,
    )
