"""API tokens: making, finding and revoking them, and what each of them permits."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, User, Website

PREFIX = "causerie_"
"""Tells a token from other keys, and lets secret scanners recognize one that leaked."""

NOUNS = {
    "conversations": _("Conversations"),
    "events": _("Change feed"),
    "exports": _("Exports"),
    "figures": _("Figures"),
    "directory": _("Users and groups (SCIM)"),
    "webhooks": _("Webhooks"),
    "inboxes": _("Inboxes of gateways"),
    "visitors": _("Visitors and people"),
    "personal-data": _("Personal data: export and erasure"),
    "blocks": _("Blocks"),
    "agents": _("Agents and skills"),
    "groups": _("Groups, hours and holidays"),
    "rules": _("Distribution rules"),
    "targeting": _("Targeting rules"),
    "replies": _("Canned replies"),
    "articles": _("Articles"),
    "tags": _("Tags"),
    "subscriptions": _("Reports by e-mail"),
}
"""What scopes name, in the order of the form."""

READ_ONLY = frozenset({"events", "figures"})

SCOPES = [
    (f"{noun}:{access}", format_lazy("{} · {}", label, access_label))
    for noun, label in NOUNS.items()
    for access, access_label in (("read", _("read")), ("write", _("write")))
    if access == "read" or noun not in READ_ONLY
]

USED_EVERY = timedelta(minutes=1)
"""How exact the last use is: a busy program must not write a row with each request."""


@transaction.atomic
def make(
    owner: User,
    *,
    name: str,
    scopes: Collection[str],
    at: datetime,
    websites: Collection[Website] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token and return it with its text, which cannot be shown again."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        owner=owner,
        name=name,
        scopes=sorted(scopes),
        has_every_website=not websites,
        digest=digest_of(text),
        ending=text[-4:],
        created_at=at,
        expires_at=expires_at,
    )
    token.websites.set(websites)
    return token, text


def find(text: str, *, at: datetime) -> ApiToken | None:
    """Return the valid token with this text, with its owner confined to its websites, and note its
    use. ``None`` if there is none, or if its owner's account is inactive."""
    if not text.startswith(PREFIX):
        return None
    mine = ApiToken.objects.filter(digest=digest_of(text)).select_related("owner")
    token = mine.first()
    if token is None or not token.is_valid_at(at) or not token.owner.is_active:
        return None
    if not token.has_every_website:
        ids = token.websites.order_by().values_list("pk", flat=True)
        token.owner.confined_to = frozenset(ids)
    lately = Q(last_used_at__gt=at - USED_EVERY)
    if token.last_used_at is None or token.last_used_at <= at - USED_EVERY:
        # Of many requests at once, one writes.
        mine.exclude(lately).update(last_used_at=at)
    return token


def revoke(tokens: QuerySet[ApiToken], *, at: datetime) -> int:
    """Stop accepting tokens at once; return how many were still accepted."""
    still = Q(expires_at=None) | Q(expires_at__gt=at)
    return tokens.filter(still, revoked_at=None).update(revoked_at=at)


def permits(token: ApiToken, noun: str, *, writes: bool) -> bool:
    """Return whether a token permits to read or write a noun. Writing includes reading."""
    needed = {f"{noun}:write"} if writes else {f"{noun}:write", f"{noun}:read"}
    return not needed.isdisjoint(token.scopes)


def digest_of(text: str) -> str:
    """Return the SHA-256 in hex. A token has 256 bits, so no salt is needed."""
    return hashlib.sha256(text.encode()).hexdigest()
