"""Rows as lines of our form: what ``messenger.moving.form`` reads, written.

Values that say nothing are left out, as the reader takes them to be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Agent
from conversations.lifecycle.transitions import Status, Verb
from conversations.models import (
    Author,
    Consent,
    Conversation,
    Event,
    Message,
    Note,
    Style,
    Visitor,
)
from messenger.moving.composing import rating_of
from messenger.moving.form import ROLES

Line = dict[str, Any]


def agent(one: Agent) -> Line:
    role = one.user.role if one.user.role in ROLES else ROLES[0]
    return _given(
        type="agent", id=str(one.pk), name=one.display_name, email=one.user.email, role=role
    )


def person(one: Visitor) -> Line:
    address = getattr(one, "address", None)
    customer = one.person
    return _given(
        type="person",
        id=str(one.public_id),
        external_id=customer.external_id if customer else "",
        name=one.name,
        email=address.email if address else "",
        wants_mail=address.wants_mail or None if address else None,
        email_given_at=_iso(address.given_at) if address else None,
        language=one.language,
        created_at=_iso(one.created_at),
        profile=customer.profile if customer else {},
        consents=[_consent(row) for row in sorted(one.consents.all(), key=lambda row: row.pk)],
        hidden_at=_iso(one.hidden_at),
        withdrawn_at=_iso(one.withdrawn_at),
    )


def _consent(one: Consent) -> Line:
    return _given(
        kind=one.kind,
        version=one.version,
        language=one.language,
        text=one.text,
        given_at=_iso(one.given_at),
        covers_mirroring=one.covers_mirroring or None,
        covers_stored_looks=one.covers_stored_looks or None,
    )


def conversation(one: Conversation) -> Line:
    """Return the line of a conversation. What its source knew and this product has no column for
    comes back from its ledger line."""
    lines = sorted(one.events.all(), key=lambda event: event.pk)
    told = lines[0].data if lines and lines[0].verb == Verb.IMPORT else {}
    ratings = [rating_of(row) for row in sorted(one.surveys.all(), key=lambda row: row.pk)]
    return _given(
        type="conversation",
        id=str(one.public_id),
        person=str(one.visitor.public_id),
        status="closed" if one.status == Status.CLOSED else "open",
        language=one.language,
        channel=one.channel,
        style=one.style if one.style != Style.LIVE else "",
        page_url=one.page_url,
        group=one.group.name if one.group else "",
        agent=str(one.agent_id) if one.agent_id else "",
        opened_at=_iso(one.opened_at),
        closed_at=_iso(one.closed_at),
        closed_by=one.closed_by,
        close_reason=one.close_reason,
        bot_name=one.bot_name,
        tags=told.get("tags"),
        ratings=[*told.get("ratings", []), *ratings],
        data=told.get("data"),
        events=told.get("events") if told else [_event(event) for event in lines],
        origin={"source": one.imported_from, "id": one.imported_id} if one.is_imported else None,
    )


def _event(one: Event) -> Line:
    """Return a line of the ledger by names: it is read, not played again."""
    return _given(
        verb=one.verb,
        at=_iso(one.at),
        by=one.actor_kind,
        to_status=one.to_status,
        agent=one.agent.display_name if one.agent else "",
        group=one.group.name if one.group else "",
        reason=one.data.get("end_reason") or one.data.get("reason"),
    )


def message(one: Conversation, row: Message) -> Line:
    return _given(
        type="message",
        conversation=str(one.public_id),
        id=str(row.client_id),
        author=row.author,
        agent=str(row.agent_id) if row.agent_id and row.author == Author.AGENT else "",
        body=row.body,
        at=_iso(row.created_at),
        offer=row.offer,
    )


def file(one: Conversation, row: Message, *, missing: str) -> Line:
    attachment = row.attachment
    assert attachment is not None
    line = _given(
        type="file",
        conversation=str(one.public_id),
        message=str(row.client_id),
        id=str(attachment.pk),
        name=attachment.name,
    )
    return line | ({"missing": missing} if missing else {"path": f"files/{attachment.pk}"})


def note(one: Conversation, row: Note) -> Line:
    return _given(
        type="note",
        conversation=str(one.public_id),
        id=str(row.pk),
        agent=str(row.agent_id),
        body=row.body,
        at=_iso(row.created_at),
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _given(**values: Any) -> Line:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
