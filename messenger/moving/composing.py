"""The rows of an imported conversation: itself, its messages, notes and its line of the ledger.

Nothing is written here. An imported conversation is closed, has been on no desk of ours and pays
nobody, so it has no contacts; what its source knows of them stays in its ledger line (ADR 0062).
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from conversations.lifecycle.transitions import Status, Verb
from conversations.models import Author, Conversation, Event, Message, Note, Survey
from messenger.moving.agents import Agents
from messenger.moving.chronology import Chronology
from messenger.moving.fields import split
from messenger.moving.files import Files, by_message
from messenger.moving.form import FileLine, MessageLine, RatingLine, Read
from messenger.moving.identifiers import derived
from messenger.moving.lines import Whole
from messenger.moving.report import Report


@dataclass(slots=True)
class Composed:
    """The rows for one conversation, and the report lines that are due once it is stored."""

    whole: Whole
    conversation: Conversation
    messages: list[Message] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def event(self) -> Event:
        """Return its line of the ledger. Call it when the conversation has its number."""
        row = self.conversation
        assert row.closed_at is not None
        return Event(
            conversation=row,
            website_id=row.website_id,
            verb=Verb.IMPORT.value,
            at=row.closed_at,
            actor_kind=row.closed_by,
            to_status=Status.CLOSED.value,
            agent_id=row.agent_id,
            group_id=row.group_id,
            data=self.data,
        )


class Composer:
    """Makes the rows of conversations of one source."""

    def __init__(
        self,
        key: str,
        source: str,
        *,
        agents: Agents,
        files: Files,
        groups: dict[str, int],
        report: Report,
        counts: bool,
    ) -> None:
        self._key, self._source = key, source
        self._agents, self._files = agents, files
        self._groups, self._report = groups, report
        self._counts = counts

    def compose(self, whole: Whole, times: Chronology, row: Conversation) -> Composed:
        """Complete ``row``, which has its ids and its visitor, and make the rows that go with
        it."""
        line, place = whole.line, whole.head.place
        row.language, row.channel, row.style = line.language, line.channel, line.style
        row.page_url, row.bot_name = line.page_url, line.bot_name
        row.opened_at, row.closed_at = times.opened_at, times.closed_at
        row.moved_at = times.closed_at
        row.status, row.closed_by = Status.CLOSED, line.closed_by
        row.close_reason = line.close_reason
        row.imported_from, row.imported_id = line.origin or (self._source, line.id)
        row.is_in_figures = self._counts
        row.group_id = self._group(line.group, place)
        row.agent_id = self._agents.of(line.agent, place=place) if line.agent else None
        made = Composed(whole, row)
        files = by_message(whole)
        for one, message, at in times.messages:
            self._add_messages(made, one, message, at, files.pop(message.id, []))
        for one, file in itertools.chain.from_iterable(files.values()):
            self._report.refuse(one.place, one.type, file.id, "its message is not there")
        for one, note, at in times.notes:
            desk = self._agents.of(note.agent, place=one.place)
            made.notes += [
                Note(conversation=row, agent_id=desk, body=piece, created_at=at)
                for piece in split(note.body)
            ]
        _count(row, made.messages)
        self._rate(made, line.ratings, place)
        made.data |= {
            "opened_at": row.opened_at.isoformat(),
            "source": row.imported_from,
            "id": row.imported_id,
        }
        made.data |= {
            name: value
            for name, value in (("tags", line.tags), ("data", line.data), ("events", line.events))
            if value
        }
        return made

    def _add_messages(
        self,
        made: Composed,
        one: Read,
        line: MessageLine,
        at: datetime,
        files: list[tuple[Read, FileLine]],
    ) -> None:
        """Add the messages for a line: a long text and further files take more than one."""
        row = made.conversation
        agent = None
        if line.author == Author.AGENT:
            agent = self._agents.of(line.agent, place=one.place)
        stored, left_out = self._files.store(files, row, agent, at)
        # A file that is refused leaves its name where it was.
        texts = split("\n".join(filter(None, [line.body, *(f"[{name}]" for name in left_out)])))
        if len(texts) > 1:
            one.changes.append(f"its text takes {len(texts)} messages")
        attached: list[tuple[str, Any]] = [(text, None) for text in texts]
        for number, attachment in enumerate(stored):
            if number == 0 and len(texts) == 1:
                attached[0] = (texts[0], attachment)
            else:
                attached.append(("", attachment))
        if not attached:
            self._report.refuse(one.place, one.type, line.id, "it says nothing")
        for number, (text, attachment) in enumerate(attached):
            made.messages.append(
                Message(
                    conversation=row,
                    seq=len(made.messages) + 1,
                    client_id=self.client_id(line, number),
                    author=line.author,
                    agent_id=agent,
                    body=text,
                    attachment=attachment,
                    offer=line.offer or None if number == 0 else None,
                    created_at=at,
                )
            )

    def client_id(self, line: MessageLine, number: int = 0) -> uuid.UUID:
        """Return the id of the message, or of the ``number``-th one, that a line becomes."""
        names = [line.conversation, line.id, *([str(number)] if number else [])]
        return derived(self._key, self._source, "message", *names)

    def _group(self, name: str, place: str) -> int | None:
        if not name:
            return None
        if name not in self._groups:
            self._report.change_once(
                place, "group", name, f"there is no group {name} here: without a group"
            )
        return self._groups.get(name)

    def _rate(self, made: Composed, ratings: list[RatingLine], place: str) -> None:
        """Store answers to surveys: as rows if they are to count, else with the ledger line."""
        row, waits = made.conversation, False
        assert row.closed_at is not None
        for one in ratings:
            agent = self._agents.of(one.agent, place=place) if one.agent else None
            is_answered = one.csat is not None or one.nps is not None or one.comment
            answered_at = one.answered_at or (one.offered_at if is_answered else None)
            offered_at = one.offered_at or answered_at or row.closed_at
            if is_answered and answered_at is None:
                answered_at = offered_at
            survey = Survey(
                conversation=row,
                website_id=row.website_id,
                style=row.style,
                language=row.language,
                agent_id=agent,
                group_id=row.group_id,
                offered_at=offered_at,
                answered_at=answered_at,
                csat=one.csat,
                nps=one.nps,
                comment=one.comment,
            )
            if self._counts and (answered_at is not None or not waits):
                waits = waits or answered_at is None
                made.surveys.append(survey)
            else:
                made.data.setdefault("ratings", []).append(rating_of(survey))


def rating_of(survey: Survey) -> dict[str, Any]:
    """Return a survey as the form has it. Its agent goes by the number of the desk."""
    answered_at = survey.answered_at
    whole = {
        "csat": survey.csat,
        "nps": survey.nps,
        "comment": survey.comment,
        "agent": survey.agent_id,
        "offered_at": survey.offered_at.isoformat(),
        "answered_at": answered_at.isoformat() if answered_at else None,
    }
    return {name: value for name, value in whole.items() if value not in (None, "")}


def _count(row: Conversation, messages: list[Message]) -> None:
    """Set what the conversation's row says of its messages. All are read: it is over."""
    row.last_seq = row.visitor_read_seq = row.agent_read_seq = len(messages)
    for message in messages:
        if message.author == Author.VISITOR:
            row.last_visitor_message_at = message.created_at
        elif message.author == Author.AGENT:
            row.last_agent_message_at = message.created_at
            row.first_human_reply_at = row.first_human_reply_at or message.created_at
