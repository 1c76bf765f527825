"""Blocks of visitors (R58): creating, checking and lifting them.

Of an internet address only a keyed hash is stored, and only if the website blocks addresses. It can
be compared, but not read.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from accounts.models import User
from conversations.models import Block, Conversation, Visitor
from core.encryption import signing_keys

# An SQL condition on a visitor ``v`` at the moment ``at``.
NOT_BLOCKED = """NOT EXISTS (
    SELECT FROM conversations_block b
    WHERE b.website_id = v.website_id AND b.lifted_at IS NULL
    AND (b.until IS NULL OR b.until > %(at)s)
    AND (
        b.visitor_id = v.id OR b.person_id = v.person_id
        OR (b.address_hash <> '' AND b.address_hash = v.address_hash)
    )
)"""


def in_force(visitor: Visitor, *, at: datetime) -> QuerySet[Block]:
    """Return the blocks of this visitor in force at ``at``, the newest first."""
    same = Q(visitor=visitor)
    if visitor.person_id is not None:
        same |= Q(person=visitor.person_id)
    if visitor.address_hash:
        same |= Q(address_hash=visitor.address_hash)
    return Block.objects.filter(same, holds(at), website=visitor.website_id)


def holds(at: datetime) -> Q:
    """Return the condition on a block that it is in force at ``at``."""
    return Q(lifted_at=None) & (Q(until=None) | Q(until__gt=at))


def block(
    conversation: Conversation, *, reason: str, until: datetime | None, by: User, at: datetime
) -> Block:
    """Block the visitor of this conversation, until ``until`` or until the block is lifted."""
    visitor = conversation.visitor
    return Block.objects.create(
        website_id=conversation.website_id,
        visitor=visitor,
        person_id=visitor.person_id,
        address_hash=visitor.address_hash if conversation.website.blocks_addresses else "",
        conversation=conversation,
        reason=reason,
        blocked_at=at,
        until=until,
        blocked_by=by,
    )


def lift(blocks: QuerySet[Block], *, by: User, at: datetime) -> int:
    """Lift blocks; return how many were still in force."""
    # A block that was lifted keeps the moment and the name of the first time.
    return blocks.filter(lifted_at=None).update(lifted_at=at, lifted_by=by)


def remember_address(visitor: Visitor, address: str) -> None:
    """Store the hash of a visitor's internet address if the website blocks addresses; otherwise
    store nothing."""
    digest = ""
    if visitor.website.blocks_addresses and address:
        digest = _digest_of(visitor.website_id, address)
    if visitor.address_hash != digest:
        visitor.address_hash = digest
        Visitor.objects.filter(pk=visitor.pk).update(address_hash=digest)


def _digest_of(website_id: int, address: str) -> str:
    """Return the hash of an address: with an earlier key if a block was made with it, so that a
    change of ``SECRET_KEY`` lifts no block."""
    newest, *earlier = [
        salted_hmac("causerie.address", address, secret=key, algorithm="sha256").hexdigest()
        for key in signing_keys()
    ]
    if earlier:
        known = Block.objects.filter(website=website_id, address_hash__in=earlier, lifted_at=None)
        return known.values_list("address_hash", flat=True).first() or newest
    return newest
