"""Secrets of webhooks and the headers of Standard Webhooks, by its own library."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook as Signer

from conversations.models import Webhook

OVERLAP = timedelta(hours=24)
"""How long the secret before still signs, too, after a rotation."""


def new_secret() -> str:
    """Return a secret of 256 bits, in the form that receivers' libraries expect."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def secrets_of(webhook: Webhook, *, at: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first; raise ``encryption.Unreadable``."""
    secrets_now = [webhook.secret.reveal()]
    if webhook.previous_until is not None and at < webhook.previous_until:
        secrets_now.append(webhook.previous_secret.reveal())
    return secrets_now


def headers_for(name: str, body: str, keys: Sequence[str], *, at: datetime) -> dict[str, str]:
    """Return the headers of a delivery that is called ``name`` in all its attempts."""
    at = at.astimezone(UTC)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(key).sign(name, at, body) for key in keys),
    }
