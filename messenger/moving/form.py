"""The JSON Lines form, as docs/moving.md describes it: one function for each type of line.

Pure: a dictionary becomes a plain record, or ``Unreadable`` says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Channel, Role
from conversations.models import ActorKind, Author, CloseReason, ConsentKind, Style
from messenger.mail import html_text
from messenger.moving.fields import Fields, Unreadable

VERSION = 1
ROLES = (Role.AGENT.value, Role.EXPERT.value, Role.MANAGER.value)
AUTHORS = tuple(one.value for one in Author)


@dataclass(slots=True)
class AgentLine:
    id: str
    name: str
    email: str
    role: str


@dataclass(slots=True)
class TagLine:
    name: str


@dataclass(slots=True)
class ConsentLine:
    kind: str
    version: int
    language: str
    text: str
    given_at: datetime
    covers_mirroring: bool
    covers_stored_looks: bool


@dataclass(slots=True)
class PersonLine:
    """A visitor; with ``external_id`` also the customer whom the brand knows by it."""

    id: str
    external_id: str
    name: str
    email: str
    wants_mail: bool
    email_given_at: datetime | None
    language: str
    created_at: datetime | None
    profile: dict[str, Any]
    consents: list[ConsentLine]
    hidden_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(slots=True)
class RatingLine:
    """An answer to a survey, or the offer of one without an answer."""

    csat: int | None
    nps: int | None
    comment: str
    agent: str
    offered_at: datetime | None
    answered_at: datetime | None


@dataclass(slots=True)
class ConversationLine:
    id: str
    person: str
    is_open: bool
    language: str
    channel: str
    style: str
    page_url: str
    group: str
    agent: str
    opened_at: datetime | None
    closed_at: datetime | None
    closed_by: str
    close_reason: str
    tags: list[str]
    ratings: list[RatingLine]
    origin: tuple[str, str] | None
    data: dict[str, Any]
    events: list[Any]
    bot_name: str


@dataclass(slots=True)
class MessageLine:
    conversation: str
    id: str
    author: str
    agent: str
    body: str
    at: datetime | None
    offer: dict[str, Any]


@dataclass(slots=True)
class NoteLine:
    conversation: str
    id: str
    agent: str
    body: str
    at: datetime | None


@dataclass(slots=True)
class FileLine:
    """The bytes are in the file ``path``, below the folder of the lines."""

    conversation: str
    message: str
    id: str
    name: str
    path: str
    missing: str


Record = AgentLine | TagLine | PersonLine | ConversationLine | MessageLine | NoteLine | FileLine


@dataclass(slots=True)
class Read:
    """What a line says, where it stands, and what could not be taken as it was."""

    place: str
    type: str
    record: Record
    changes: list[str] = field(default_factory=list)


def read(values: dict[str, Any], *, place: str, language: str, at: datetime) -> Read:
    """Return what a line says; raise ``Unreadable``. ``language`` is the website's own."""
    fields = Fields(values, at=at)
    kind = fields.take("type")
    reader = READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Unreadable("unknown type")
    record = reader(fields, language)
    fields.finish()
    return Read(place, str(kind), record, fields.changes)


def _agent(fields: Fields, _language: str) -> AgentLine:
    return AgentLine(
        fields.identity(),
        fields.label("name", 60),
        _email(fields, "email"),
        fields.choice("role", ROLES, otherwise=Role.AGENT),
    )


def _tag(fields: Fields, _language: str) -> TagLine:
    name = fields.label("name", 60)
    if not name:
        raise Unreadable("no name")
    return TagLine(name)


def _person(fields: Fields, language: str) -> PersonLine:
    person = PersonLine(
        id=fields.identity(),
        external_id=fields.reference("external_id", limit=200),
        name=fields.label("name", 100),
        email=_email(fields, "email"),
        # Nobody asked them here: they get no mail unless the export says that they want it.
        wants_mail=fields.truth("wants_mail", otherwise=False),
        email_given_at=fields.moment("email_given_at"),
        language=fields.language("language", otherwise=language),
        created_at=fields.moment("created_at"),
        profile=fields.details("profile"),
        consents=[],
        hidden_at=fields.moment("hidden_at"),
        withdrawn_at=fields.moment("withdrawn_at"),
    )
    person.consents = list(_each(fields, "consents", lambda inner: _consent(inner, language)))
    if person.profile and not person.external_id:
        fields.changes.append("profile is not used without an external_id")
    return person


def _consent(fields: Fields, language: str) -> ConsentLine:
    given_at, text = fields.moment("given_at"), fields.text("text")
    if given_at is None or not text:
        raise Unreadable("a consent needs its moment and its text")
    return ConsentLine(
        fields.choice("kind", tuple(ConsentKind.values), otherwise=ConsentKind.GIVEN),
        fields.number("version", 1, 2**31 - 1) or 1,
        fields.language("language", otherwise=language),
        text,
        given_at,
        fields.truth("covers_mirroring", otherwise=False),
        fields.truth("covers_stored_looks", otherwise=False),
    )


def _rating(fields: Fields) -> RatingLine:
    return RatingLine(
        fields.number("csat", 1, 5),
        fields.number("nps", 0, 10),
        fields.text("comment"),
        fields.reference("agent"),
        fields.moment("offered_at"),
        fields.moment("answered_at"),
    )


def _conversation(fields: Fields, language: str) -> ConversationLine:
    status = fields.choice("status", ("open", "closed"), otherwise="closed")
    origin = fields.details("origin")
    tags = [str(tag)[:60] for tag in fields.entries("tags") if isinstance(tag, str) and tag]
    return ConversationLine(
        id=fields.identity(),
        person=fields.reference("person"),
        is_open=status == "open",
        language=fields.language("language", otherwise=language),
        channel=fields.choice("channel", tuple(Channel.values), otherwise=Channel.CHAT),
        style=fields.choice("style", tuple(Style.values), otherwise=Style.LIVE),
        page_url=fields.label("page_url", 2000),
        group=fields.label("group", 100),
        agent=fields.reference("agent"),
        opened_at=fields.moment("opened_at"),
        closed_at=fields.moment("closed_at"),
        closed_by=fields.choice(
            "closed_by", tuple(ActorKind.values), otherwise=ActorKind.SYSTEM.value
        ),
        close_reason=fields.choice("close_reason", ("", *CloseReason.values), otherwise=""),
        tags=tags,
        ratings=list(_each(fields, "ratings", _rating)),
        origin=(str(origin["source"])[:30], str(origin["id"])[:100])
        if {"source", "id"} <= origin.keys()
        else None,
        data=fields.details("data"),
        events=fields.entries("events"),
        bot_name=fields.label("bot_name", 60),
    )


def _message(fields: Fields, _language: str) -> MessageLine:
    message = MessageLine(
        fields.identity("conversation"),
        fields.identity(),
        fields.choice("author", AUTHORS, otherwise=""),
        fields.reference("agent"),
        _body(fields),
        fields.moment("at"),
        fields.details("offer"),
    )
    if not message.author:
        # To whom it belongs is unknown: neither side may seem to have said it.
        message.author = Author.SYSTEM.value
        fields.changes.append("no author: shown as a message of the system")
    return message


def _note(fields: Fields, _language: str) -> NoteLine:
    note = NoteLine(
        fields.identity("conversation"),
        fields.identity(),
        fields.reference("agent"),
        _body(fields),
        fields.moment("at"),
    )
    if not note.body:
        raise Unreadable("it says nothing")
    return note


def _file(fields: Fields, _language: str) -> FileLine:
    return FileLine(
        fields.identity("conversation"),
        fields.reference("message"),
        fields.identity(),
        fields.label("name", 120),
        fields.label("path", 1000),
        fields.label("missing", 300),
    )


Entry = TypeVar("Entry")
READERS: dict[str, Callable[[Fields, str], Record]] = {
    "agent": _agent,
    "tag": _tag,
    "person": _person,
    "conversation": _conversation,
    "message": _message,
    "note": _note,
    "file": _file,
}


def _each(fields: Fields, name: str, reader: Callable[[Fields], Entry]) -> list[Entry]:
    """Read a list of objects; what cannot be read is left out and reported."""
    found: list[Entry] = []
    for number, value in enumerate(fields.entries(name), 1):
        inner = fields.within(value)
        if inner is None:
            fields.changes.append(f"{name} {number} is no object")
            continue
        try:
            found.append(reader(inner))
        except Unreadable as unreadable:
            fields.changes.append(f"{name} {number}: {unreadable}")
        inner.finish()
        fields.changes += [f"{name} {number}: {change}" for change in inner.changes]
    return found


def _email(fields: Fields, name: str) -> str:
    email = fields.label(name, 254)
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError:
        fields.changes.append(f"{name} is no e-mail address")
        return ""
    return email


def _body(fields: Fields) -> str:
    """Return the text of ``body``, or that of ``html``."""
    body, html = fields.text("body"), fields.text("html")
    if body or not html:
        return body
    if len(html) > html_text.LIMIT:
        fields.changes.append(f"html is read up to {html_text.LIMIT} characters")
    return html_text.text_of(html).strip()
