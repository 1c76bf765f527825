"""Keys of websites' shop systems: each is shown once and stored as a hash."""

from __future__ import annotations

import hashlib
import secrets

from accounts.models import Website
from reporting.models import ShopKey

PREFIX = "shop_"
"""Lets secret scanners recognize a key that leaked into a repository."""


def make(website: Website, name: str) -> tuple[ShopKey, str]:
    """Create a key and return it with its text, which cannot be shown again."""
    text = PREFIX + secrets.token_urlsafe(32)
    return ShopKey.objects.create(website=website, name=name, digest=digest_of(text)), text


def website_of(text: str) -> Website | None:
    """Return the website of a key."""
    key = ShopKey.objects.select_related("website").filter(digest=digest_of(text)).first()
    return key.website if key else None


def digest_of(text: str) -> str:
    """Return the SHA-256 in hex. A key has 256 bits, so no salt is needed."""
    return hashlib.sha256(text.encode()).hexdigest()
