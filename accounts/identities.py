"""A website's identity secrets: a new one, those that are accepted, and the end of one (C14)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import IdentitySecret, Website

OVERLAP = timedelta(hours=24)
"""How long the secret before is accepted too, so that a brand may change its servers one by one."""


@transaction.atomic
def rotate(website: Website, *, at: datetime) -> IdentitySecret:
    """A new secret; those before it end after ``OVERLAP``, if they do not end earlier."""
    before = IdentitySecret.objects.filter(website=website)
    before.filter(Q(ends_at=None) | Q(ends_at__gt=at + OVERLAP)).update(ends_at=at + OVERLAP)
    return IdentitySecret.objects.create(website=website, created_at=at)


def revoke(secrets: QuerySet[IdentitySecret], *, at: datetime) -> int:
    """Accept them no more, from now on: they have leaked. Returns how many were still accepted."""
    return secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at)).update(ends_at=at)


def accepted(website: Website, *, at: datetime) -> list[str]:
    """With which secrets a token may be signed now, the newest first."""
    still = Q(ends_at=None) | Q(ends_at__gt=at)
    return [secret.value for secret in website.identity_secrets.filter(still)]
