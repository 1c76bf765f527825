"""How much of a queue anonymous visitors of one address can fill (docs/adr/0043).

Of the address only a keyed hash is stored, and only while the conversation waits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac

from conversations.models import Visitor
from core.rates.windows import subject_of
from routing.decisions import share_of

SILENCE = timedelta(seconds=60)
"""How long after its first message a conversation keeps its place without a sign of life: longer
than two of the fetches that an open Messenger makes, every 25 seconds."""


def hash_of(visitor: Visitor, address: str) -> str:
    """Return the hash under which the visitor's address counts. It is empty for known persons,
    without an address, and where the share is switched off."""
    subject = subject_of(address)
    if settings.RATE_PLACES_PERCENT is None or visitor.person_id is not None or not subject:
        return ""
    # Half of the digest is enough to compare, and stored with each conversation.
    return salted_hmac("causerie.places", subject, algorithm="sha256").hexdigest()[:32]


def has_share(places: int, taken: int) -> bool:
    """Return whether an address whose visitors have ``taken`` of the places may have another."""
    percent = settings.RATE_PLACES_PERCENT
    return percent is None or taken < share_of(places, percent)


def silent(at: datetime) -> Q:
    """Return the condition on a waiting conversation that its anonymous visitor was not heard from
    after the first message."""
    return Q(seen_again_at=None, is_return=False, opened_at__lt=at - SILENCE) & ~Q(opened_from="")
