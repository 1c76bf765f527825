"""Importing the lines of a source into a website, some hundred conversations at a time.

Each batch is one transaction, and ids are derived from the source's: after a crash, or with a
second file, the import goes over what is stored and continues behind it.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import Error, connection, transaction
from django.db.models import Max

from accounts.models import Website
from conversations.models import Conversation, Message
from core.db import bulk_sql
from messenger.moving import chronology
from messenger.moving.agents import Agents
from messenger.moving.chronology import Chronology
from messenger.moving.composing import Composed, Composer
from messenger.moving.fields import Unreadable
from messenger.moving.files import Files
from messenger.moving.form import AgentLine, MessageLine, PersonLine, Read, TagLine
from messenger.moving.identifiers import derived
from messenger.moving.lines import Unit, Whole
from messenger.moving.people import ERASED, People
from messenger.moving.report import Report

PEOPLE_AT_ONCE = 1000
CONVERSATIONS_AT_ONCE = 500
PARTS_AT_ONCE = 10_000
"""Lines of a batch: conversations of thousands of messages come in smaller batches."""


class Busy(Exception):
    """Another import into this website is running."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an import goes: ``counts`` says whether figures include what is imported. ``folder``
    holds the files."""

    website: Website
    source: str
    folder: Path
    at: datetime
    counts: bool = False


class Import:
    """One run of an import."""

    def __init__(self, plan: Plan, report: Report) -> None:
        self._plan, self._report = plan, report
        key = plan.website.key
        self._agents = Agents(plan.website, plan.source, report)
        self._people = People(plan.website, plan.source, report, at=plan.at)
        self._files = Files(key, plan.source, plan.folder, report)
        self._composer = Composer(
            key,
            plan.source,
            agents=self._agents,
            files=self._files,
            groups=dict(plan.website.groups.values_list("name", "pk")),
            report=report,
            counts=plan.counts,
        )
        self._first_new = (Conversation.objects.aggregate(last=Max("pk"))["last"] or 0) + 1

    def run(self, units: Iterable[Unit], *, on_progress: Callable[[], None]) -> None:
        """Import everything. ``on_progress`` is called after each batch."""
        people: list[Read] = []
        batch: list[Whole] = []
        parts = 0
        for unit in units:
            if isinstance(unit, Whole):
                batch.append(unit)
                parts += len(unit.parts)
            elif isinstance(unit.record, PersonLine):
                people.append(unit)
            else:
                self._take(unit)
            is_full = len(batch) >= CONVERSATIONS_AT_ONCE or parts >= PARTS_AT_ONCE
            if is_full or len(people) >= PEOPLE_AT_ONCE:
                # People first: the conversations may be theirs.
                self._flush(people, batch, on_progress)
                parts = 0
        self._flush(people, batch, on_progress)

    def _flush(
        self, people: list[Read], batch: list[Whole], on_progress: Callable[[], None]
    ) -> None:
        if people:
            self._people.store(people)
        if batch:
            self._store(batch)
        people.clear()
        batch.clear()
        self._report.flush()
        on_progress()

    def _take(self, one: Read) -> None:
        for change in one.changes:
            self._report.change(one.place, one.type, "", change)
        if isinstance(one.record, AgentLine):
            self._agents.add(one)
        elif isinstance(one.record, TagLine):
            # Tags are words on conversations here, without a list of their own.
            self._report.taken["tag"] += 1

    # --- Conversations -----------------------------------------------------------------------

    def _store(self, batch: Sequence[Whole]) -> None:
        wanted = self._new(batch)
        try:
            self._write(wanted)
        except Error:
            # One of them breaks a rule of the database: it alone is refused.
            for one in wanted:
                try:
                    self._write([one])
                except Error as error:
                    self._refuse(one[0], f"the database refuses it: {type(error).__name__}")

    def _write(self, wanted: Sequence[tuple[Whole, Chronology]]) -> None:
        self._files.stored.clear()
        self._report.hold()
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL causerie.importing = 'on'")
                # A batch takes longer than a statement of a request may.
                cursor.execute("SET LOCAL statement_timeout = 0")
                made = self._compose(wanted)
                _insert(made)
        except Error:
            self._files.discard()
            self._report.drop()
            raise
        self._report.keep()
        for one in made:
            self._report_stored(one)

    def _compose(self, wanted: Sequence[tuple[Whole, Chronology]]) -> list[Composed]:
        visitors = self._visitors(wanted)
        return [
            self._composer.compose(
                whole,
                times,
                Conversation(
                    public_id=self._id(whole),
                    website=self._plan.website,
                    visitor_id=visitors[whole.line.id],
                ),
            )
            for whole, times in wanted
        ]

    def _new(self, batch: Sequence[Whole]) -> list[tuple[Whole, Chronology]]:
        """Return the conversations to be stored, and report the others."""
        ids = {whole.line.id: self._id(whole) for whole in batch}
        rows = Conversation.objects.filter(public_id__in=ids.values())
        stored = dict(rows.values_list("public_id", "pk"))
        people = {whole.line.person for whole in batch if whole.line.person}
        erased = self._people.erased(people)
        # Those without a person have a visitor of their own, who can be erased as well.
        lonely = {self._lonely(whole): whole.line.id for whole in batch}
        gone = {lonely[one] for one in self._people.erased_ids(lonely)}
        keeps_since = self._keeps_since()
        # In one query: an import that goes on goes over all that is stored.
        texts: dict[int, set[uuid.UUID]] = defaultdict(set)
        messages = Message.objects.filter(conversation__in=stored.values())
        for talk, client_id in messages.values_list("conversation", "client_id"):
            texts[talk].add(client_id)
        wanted: dict[str, tuple[Whole, Chronology]] = {}
        for whole in batch:
            line = whole.line
            number = stored.get(ids[line.id])
            if line.id in wanted or (number is not None and number >= self._first_new):
                self._refuse(whole, "this id occurs twice")
            elif number is not None:
                self._known(whole, texts[number])
            elif line.person in erased or line.id in gone:
                self._refuse(whole, f"its person {ERASED}")
            else:
                self._want(whole, wanted, keeps_since)
        return list(wanted.values())

    def _want(
        self,
        whole: Whole,
        wanted: dict[str, tuple[Whole, Chronology]],
        keeps_since: datetime | None,
    ) -> None:
        try:
            times = chronology.of(whole)
        except Unreadable as unreadable:
            self._refuse(whole, str(unreadable))
            return
        if keeps_since is not None and times.closed_at < keeps_since:
            self._refuse(whole, "it is older than the website’s retention period")
            return
        whole.head.changes += times.changes
        self._drop_repeated(whole, times)
        wanted[whole.line.id] = whole, times

    def _drop_repeated(self, whole: Whole, times: Chronology) -> None:
        seen: set[str] = set()
        once = []
        for row in times.messages:
            one, line, _at = row
            if line.id in seen:
                self._report.refuse(one.place, one.type, line.id, "this id occurs twice")
            else:
                once.append(row)
            seen.add(line.id)
        times.messages = once

    def _visitors(self, wanted: Sequence[tuple[Whole, Chronology]]) -> dict[str, int]:
        """Return the visitor of each conversation."""
        people = {whole.line.person for whole, _times in wanted if whole.line.person}
        known = self._people.known(people)
        alone = {
            self._lonely(whole): (whole, times)
            for whole, times in wanted
            if whole.line.person not in known
        }
        made = self._people.anonymous(
            (one, whole.line.language, times.opened_at) for one, (whole, times) in alone.items()
        )
        for whole, _times in alone.values():
            person = whole.line.person
            why = f"person {person} has no line before it" if person else "no person"
            whole.head.changes.append(f"{why}: an unknown visitor")
        mine = {whole.line.id: made[one] for one, (whole, _times) in alone.items()}
        return mine | {
            whole.line.id: known[whole.line.person]
            for whole, _times in wanted
            if whole.line.person in known
        }

    def _known(self, whole: Whole, stored: set[uuid.UUID]) -> None:
        """Count a conversation that is stored, and report what its lines have besides."""
        self._report.known["conversation"] += 1
        messages = [one for one in whole.parts if isinstance(one.record, MessageLine)]
        ids = [self._composer.client_id(_message(one)) for one in messages]
        for one, client_id in zip(messages, ids, strict=True):
            if client_id in stored:
                self._report.known["message"] += 1
            elif _message(one).body:
                self._report.refuse(
                    one.place,
                    one.type,
                    _message(one).id,
                    "its conversation was imported before without it",
                )

    def _refuse(self, whole: Whole, reason: str) -> None:
        """Report a conversation with each of its lines."""
        head = whole.head
        self._report.refuse(head.place, head.type, whole.line.id, reason)
        for one in whole.parts:
            self._report.refuse(
                one.place, one.type, getattr(one.record, "id", ""), f"its conversation: {reason}"
            )

    def _report_stored(self, made: Composed) -> None:
        report = self._report
        report.taken["conversation"] += 1
        report.taken["message"] += len(made.messages)
        report.taken["note"] += len(made.notes)
        report.taken["file"] += sum(1 for one in made.messages if one.attachment_id)
        for one in (made.whole.head, *made.whole.parts):
            for change in one.changes:
                report.change(one.place, one.type, getattr(one.record, "id", ""), change)

    def _keeps_since(self) -> datetime | None:
        days = self._plan.website.retention_days
        return None if days is None else self._plan.at - timedelta(days=days)

    def _id(self, whole: Whole) -> uuid.UUID:
        return derived(self._plan.website.key, self._plan.source, "conversation", whole.line.id)

    def _lonely(self, whole: Whole) -> uuid.UUID:
        return derived(self._plan.website.key, self._plan.source, "visitor of", whole.line.id)


def _message(one: Read) -> MessageLine:
    assert isinstance(one.record, MessageLine)
    return one.record


def _insert(made: Sequence[Composed]) -> None:
    """Write the rows of a batch. The conversations come first: the others need their numbers."""
    Conversation.objects.bulk_create([one.conversation for one in made])
    messages = [message for one in made for message in one.messages]
    notes = [note for one in made for note in one.notes]
    surveys = [survey for one in made for survey in one.surveys]
    files = [message.attachment for message in messages if message.attachment is not None]
    # They were made before their conversation had its number.
    for message in messages:
        message.conversation_id = message.conversation.pk
        if message.attachment is not None:
            message.attachment.conversation_id = message.conversation.pk
    for note in notes:
        note.conversation_id = note.conversation.pk
    for survey in surveys:
        survey.conversation_id = survey.conversation.pk
    for rows in (files, messages, notes, surveys, [one.event() for one in made]):
        bulk_sql.copy(rows)


@contextmanager
def alone(website: Website) -> Iterator[None]:
    """Let one import at a time go into a website: two would both find nothing stored yet."""
    name = f"causerie.import.{website.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        if not cursor.fetchone()[0]:
            raise Busy
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
