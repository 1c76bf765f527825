"""A website's identity secrets: rotation, revocation and the accepted ones (C14)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import IdentitySecret, Website
from core import encryption

logger = logging.getLogger(__name__)

OVERLAP = timedelta(hours=24)
"""How long the previous secret stays valid, so that a brand can update its servers one by one."""


@transaction.atomic
def rotate(website: Website, *, at: datetime) -> IdentitySecret:
    """Create a secret. Earlier ones end after ``OVERLAP`` at the latest."""
    before = IdentitySecret.objects.filter(website=website)
    before.filter(Q(ends_at=None) | Q(ends_at__gt=at + OVERLAP)).update(ends_at=at + OVERLAP)
    return IdentitySecret.objects.create(website=website, created_at=at)


def revoke(secrets: QuerySet[IdentitySecret], *, at: datetime) -> int:
    """Stop accepting leaked secrets at once; return how many were still accepted."""
    return secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at)).update(ends_at=at)


def accepted(website: Website, *, at: datetime) -> list[str]:
    """Return the secrets that may sign a token at ``at``, the newest first. One that none of the
    installation's keys decrypts is left out, and logged."""
    still = Q(ends_at=None) | Q(ends_at__gt=at)
    secrets = []
    for row in website.identity_secrets.filter(still):
        try:
            secrets.append(row.secret.reveal())
        except encryption.Unreadable:
            logger.error("identity secret %s cannot be decrypted: replace it", row.pk)
    return secrets
