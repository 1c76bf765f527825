"""Requests that clients repeat: the first answer is stored with what the request did.

The row is written in the transaction of the request itself. Two equal requests at once therefore do
the work once: the second waits for the first one's row. A crash undoes both, and a repeat does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from core.models import StoredAnswer

RETENTION = timedelta(hours=24)

# Plain SQL: only the INSERT itself can both wait for an equal request and say who was first.
CLAIM = """
    INSERT INTO core_storedanswer (holder, key, fingerprint, created_at, status, content_type, body)
    VALUES (%(holder)s, %(key)s, %(fingerprint)s, %(at)s, 0, '', '')
    ON CONFLICT (holder, key) DO NOTHING
"""


class KeyReused(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes


def claim(holder: str, key: str, fingerprint: str, *, at: datetime) -> Answer | None:
    """Reserve a key in the present transaction; return the answer if it was given before.

    Waits for an equal request that is under way. Raises ``KeyReused`` if the key stands for another
    request.
    """
    mine = StoredAnswer.objects.filter(holder=holder, key=key)
    # An expired key is free, even if the purge has not come by yet.
    mine.filter(created_at__lte=at - RETENTION).delete()
    values: dict[str, str | datetime] = {
        "holder": holder,
        "key": key,
        "fingerprint": fingerprint,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        if cursor.rowcount:
            return None
    known = mine.first()
    if known is None:  # purged at this very moment
        return claim(holder, key, fingerprint, at=at)
    if known.fingerprint != fingerprint:
        raise KeyReused
    return Answer(known.status, known.content_type, bytes(known.body))


def store(holder: str, key: str, answer: Answer) -> None:
    """Store the answer to a claimed request."""
    StoredAnswer.objects.filter(holder=holder, key=key).update(
        status=answer.status, content_type=answer.content_type, body=answer.body
    )


def purge(*, before: datetime) -> int:
    """Delete the answers from before a moment; return how many."""
    return StoredAnswer.objects.filter(created_at__lt=before).delete()[0]


def forget_bodies() -> int:
    """Empty every stored answer: after an erasure, none may still contain what was erased. The keys
    stay, so that no repeat is done twice."""
    return StoredAnswer.objects.exclude(body=b"").update(body=b"")
