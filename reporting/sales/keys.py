"""By which a website's shop system is known: a key that is shown once and kept as a hash."""

from __future__ import annotations

import hashlib
import secrets

from accounts.models import Website
from reporting.models import ShopKey

PREFIX = "shop_"
"""So that a key that leaked into a repository is recognised by those who search for such."""


def make(website: Website, name: str) -> tuple[ShopKey, str]:
    """A new key, and its text, which nobody can be told again."""
    text = PREFIX + secrets.token_urlsafe(32)
    return ShopKey.objects.create(website=website, name=name, digest=digest_of(text)), text


def website_of(text: str) -> Website | None:
    """The website whose key this is."""
    found = ShopKey.objects.select_related("website").filter(digest=digest_of(text)).first()
    return found.website if found else None


def digest_of(text: str) -> str:
    """SHA-256 in hex. A key has 256 bits, so no salt is needed."""
    return hashlib.sha256(text.encode()).hexdigest()
