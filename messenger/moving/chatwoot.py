"""Chatwoot's conversations as lines of our form.

The folder holds answers of its API (https://developers.chatwoot.com/api-reference/):
``agents*.json``, ``labels*.json``, ``contacts*.json``, ``conversations*.json``,
``csat_survey_responses*.json``, for each conversation ``messages/<conversation>*.json``, and the
attachments as ``files/<attachment>``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from messenger.moving import saved_answers
from messenger.moving.form import VERSION
from messenger.moving.lines import Line
from messenger.moving.saved_answers import given, inner, objects, text

INCOMING, OUTGOING, ACTIVITY, TEMPLATE = range(4)
AUTHORS = {INCOMING: "visitor", OUTGOING: "agent", ACTIVITY: "system", TEMPLATE: "bot"}
NAMES = {"incoming": 0, "outgoing": 1, "activity": 2, "template": 3}
MESSAGING = ("Whatsapp", "Telegram", "Line", "Sms", "TwilioSms", "FacebookPage", "Email", "Api")


def convert(folder: Path) -> Iterator[Line]:
    """Yield the lines for everything in the folder."""
    yield "", {"type": "history", "version": VERSION, "source": "chatwoot"}
    yield from saved_answers.moved(_agent, saved_answers.rows(folder, "agents", "payload"))
    yield from saved_answers.moved(_label, saved_answers.rows(folder, "labels", "payload"))
    people: set[Any] = set()
    yield from saved_answers.moved(
        lambda row: _contact(row, people), saved_answers.rows(folder, "contacts", "payload")
    )
    ratings: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for place, row in saved_answers.rows(folder, "csat_survey_responses", "payload"):
        if isinstance(row, str):
            yield place, row
        elif isinstance(row.get("conversation_id"), int):
            ratings[row["conversation_id"]].append(_rating(row))
    for place, row in saved_answers.rows(folder, "conversations", "data", "payload"):
        if isinstance(row, str):
            yield place, row
        else:
            yield from _conversation(place, row, folder, people, ratings)


def _agent(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    role = "manager" if row.get("role") == "administrator" else "agent"
    name = row.get("available_name") or row.get("name")
    yield given(type="agent", id=row.get("id"), name=name, email=row.get("email"), role=role)


def _label(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield given(type="tag", name=row.get("title"))


def _contact(row: dict[str, Any], people: set[Any]) -> Iterator[dict[str, Any]]:
    number = row.get("id")
    if isinstance(number, int):
        people.add(number)
    about = given(
        phone=row.get("phone_number"),
        fields=row.get("custom_attributes"),
        about=row.get("additional_attributes"),
    )
    yield given(
        type="person",
        id=number,
        # Without one of the brand's, so that what is known of them has a place.
        external_id=row.get("identifier") or (f"chatwoot:{number}" if about else None),
        name=row.get("name"),
        email=row.get("email"),
        created_at=row.get("created_at"),
        profile=about,
    )


def _rating(row: dict[str, Any]) -> dict[str, Any]:
    return given(
        csat=row.get("rating"),
        comment=row.get("feedback_message"),
        agent=inner(row, "assigned_agent").get("id"),
        answered_at=row.get("created_at"),
    )


def _conversation(
    place: str,
    row: dict[str, Any],
    folder: Path,
    people: set[Any],
    ratings: dict[Any, list[dict[str, Any]]],
) -> Iterator[Line]:
    meta, number = inner(row, "meta"), row.get("id")
    sender, channel = inner(meta, "sender"), text(meta.get("channel")).removeprefix("Channel::")
    if sender and sender.get("id") not in people:
        # The list of contacts was not saved, or ends before this one.
        for line in _contact(sender, people):
            yield place, line
    is_over = row.get("status") == "resolved"
    about = given(
        priority=row.get("priority"), fields=row.get("custom_attributes"),
        about=row.get("additional_attributes"), channel=channel,
    )  # fmt: skip
    yield (
        place,
        given(
            type="conversation",
            id=number,
            person=sender.get("id"),
            status="closed" if is_over else "open",
            channel="messaging" if channel in MESSAGING else "chat",
            group=inner(meta, "team").get("name"),
            agent=inner(meta, "assignee").get("id"),
            page_url=inner(row, "additional_attributes").get("referer"),
            opened_at=row.get("created_at"),
            closed_at=row.get("last_activity_at") if is_over else None,
            closed_by="agent" if inner(meta, "assignee") else "system",
            close_reason="resolved" if is_over else None,
            tags=row.get("labels"),
            ratings=ratings.get(number),
            data=about,
        ),
    )
    if isinstance(number, int):
        found = saved_answers.rows(folder / "messages", str(number), "payload")
        yield from saved_answers.moved(lambda one: _message(one, number, folder), found)


def _message(row: dict[str, Any], conversation: int, folder: Path) -> Iterator[dict[str, Any]]:
    number, sender = row.get("id"), inner(row, "sender")
    kind = row.get("message_type")
    kind = NAMES.get(kind, kind) if isinstance(kind, str) else kind
    author = AUTHORS.get(kind, "") if isinstance(kind, int) else ""
    if author == "agent" and sender.get("type") in ("agent_bot", "captain_assistant"):
        author = "bot"
    common = given(
        conversation=conversation,
        id=number,
        agent=sender.get("id") if author == "agent" else None,
        body=row.get("content"),
        at=row.get("created_at"),
    )
    is_note = row.get("private") is True
    if is_note:
        yield {"type": "note", **common}
    else:
        yield {"type": "message", **given(author=author), **common}
    for file in objects(row.get("attachments")):
        yield saved_answers.file_line(
            folder,
            conversation=conversation,
            message=None if is_note else number,
            number=file.get("id"),
            name=file.get("fallback_title") or text(file.get("data_url")).rpartition("/")[2],
        )
