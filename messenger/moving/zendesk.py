"""Zendesk's tickets as lines of our form.

The folder holds answers of its API (https://developer.zendesk.com/api-reference/): ``users*.json``,
``groups*.json``, ``tickets*.json`` (or ``.jsonl``, as the export of an account has it), for each
ticket ``comments/<ticket>*.json``, and the attachments as ``files/<attachment>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from messenger.moving import saved_answers
from messenger.moving.form import VERSION
from messenger.moving.lines import Line
from messenger.moving.saved_answers import given, inner, objects, text

OVER = ("solved", "closed")
SCORES = {"good": 5, "bad": 1}
"""Zendesk asks for one of two; the ends of the scale of five."""
CHANNELS = {"chat": "chat", "voice": "call"}


def convert(folder: Path) -> Iterator[Line]:
    """Yield the lines for everything in the folder."""
    yield "", {"type": "history", "version": VERSION, "source": "zendesk"}
    groups: dict[Any, str] = {}
    for place, row in saved_answers.rows(folder, "groups", "groups"):
        if isinstance(row, str):
            yield place, row
        elif isinstance(row.get("id"), int):
            groups[row["id"]] = text(row.get("name"))
    staff: set[Any] = set()
    yield from saved_answers.moved(
        lambda row: _user(row, staff), saved_answers.rows(folder, "users", "users")
    )
    for place, row in saved_answers.rows(folder, "tickets", "tickets"):
        if isinstance(row, str):
            yield place, row
        else:
            yield from _ticket(place, row, folder, groups, staff)


def _user(row: dict[str, Any], staff: set[Any]) -> Iterator[dict[str, Any]]:
    number, role = row.get("id"), row.get("role")
    if role in ("agent", "admin") and isinstance(number, int):
        staff.add(number)
        role = "manager" if role == "admin" else "agent"
        yield given(
            type="agent", id=number, name=row.get("name"), email=row.get("email"), role=role
        )
        return
    about = given(
        phone=row.get("phone"), tags=row.get("tags"), notes=row.get("notes"),
        details=row.get("details"), fields=_fields(row.get("user_fields")),
    )  # fmt: skip
    yield given(
        type="person",
        id=number,
        # Without one of the brand's, so that what is known of them has a place.
        external_id=row.get("external_id") or (f"zendesk:{number}" if about else None),
        name=row.get("name"),
        email=row.get("email"),
        language=row.get("locale"),
        created_at=row.get("created_at"),
        profile=about,
    )


def _ticket(
    place: str, row: dict[str, Any], folder: Path, groups: dict[Any, str], staff: set[Any]
) -> Iterator[Line]:
    number, requester, status = row.get("id"), row.get("requester_id"), row.get("status")
    comments = list(_comments(folder, number))
    rating = inner(row, "satisfaction_rating")
    answer = given(csat=SCORES.get(text(rating.get("score"))), comment=rating.get("comment"))
    about = given(
        subject=row.get("subject"), priority=row.get("priority"), kind=row.get("type"),
        fields=_fields(row.get("custom_fields")), channel=inner(row, "via").get("channel"),
    )  # fmt: skip
    yield (
        place,
        given(
            type="conversation",
            id=number,
            person=requester,
            status="closed" if status in OVER else "open",
            channel=CHANNELS.get(text(inner(row, "via").get("channel")), "messaging"),
            group=groups.get(row.get("group_id")),
            agent=row.get("assignee_id"),
            opened_at=row.get("created_at"),
            # The ticket says when it last changed; its end is in audits, which few people save.
            closed_at=row.get("updated_at") if status in OVER else None,
            closed_by="agent" if row.get("assignee_id") else "system",
            close_reason="resolved" if status in OVER else None,
            tags=row.get("tags"),
            ratings=[answer | {"answered_at": row.get("updated_at")}] if answer else None,
            data=about,
        ),
    )
    if not comments and row.get("description"):
        # The first comment, which is all that a list of tickets has.
        comments = [(place, {"id": f"{number}-description", "author_id": requester,
                             "body": row["description"], "public": True,
                             "created_at": row.get("created_at")})]  # fmt: skip
    for where, comment in comments:
        if isinstance(comment, str):
            yield where, comment
        else:
            for line in _comment(comment, number, folder, staff):
                yield where, line


def _comments(folder: Path, number: object) -> Iterator[Line]:
    if isinstance(number, int):
        yield from saved_answers.rows(folder / "comments", str(number), "comments")


def _comment(
    row: dict[str, Any], ticket: object, folder: Path, staff: set[Any]
) -> Iterator[dict[str, Any]]:
    author, number = row.get("author_id"), row.get("id")
    is_staff = author in staff
    common = given(
        conversation=ticket,
        id=number,
        agent=author if is_staff else None,
        body=row.get("plain_body") or row.get("body"),
        html=None if row.get("plain_body") or row.get("body") else row.get("html_body"),
        at=row.get("created_at"),
    )
    if row.get("public") is False:
        yield {"type": "note", **common}
        message = None
    else:
        kind = "agent" if is_staff else "visitor" if isinstance(author, int) and author > 0 else ""
        yield {"type": "message", **given(author=kind), **common}
        message = number
    for file in objects(row.get("attachments")):
        yield saved_answers.file_line(
            folder,
            conversation=ticket,
            message=message,
            number=file.get("id"),
            name=file.get("file_name"),
        )


def _fields(value: object) -> dict[str, Any]:
    """Return custom fields that have a value: a list of pairs on tickets, an object on users."""
    if isinstance(value, dict):
        return given(**{str(name): one for name, one in value.items()})
    return {str(one.get("id")): one["value"] for one in objects(value) if one.get("value")}
