"""Intake of replies from an e-mail provider: django-anymail's webhooks.

Anymail verifies the caller, reads each provider's format, and sends its one signal. That signal is
connected in ``config.wiring``, like every other reaction. From here on an e-mail takes the same
path as those from LMTP.
"""

from __future__ import annotations

import email
from email.message import Message
from email.policy import default
from typing import Any

from django.utils import timezone

from messenger.mail import arrivals
from messenger.mail.headers import addresses, raw_values

# The headers with an address of delivery, the most reliable first.
RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To", "To", "Cc")


def receive(sender: Any, event: Any, esp_name: str, **_more: Any) -> None:
    """Handle an incoming e-mail. An exception makes the provider try again."""
    message = event.message
    raw = bytes_of(message)
    recipients = _recipients(message.envelope_recipient, email.message_from_bytes(raw))
    arrivals.take(raw, recipients, at=timezone.now(), sender=message.envelope_sender)


def bytes_of(message: Message) -> bytes:
    """Return an e-mail as a mail server would deliver it; headers may be UTF-8 without encoding."""
    try:
        # Headers as they came: refolding fails on what some programs send.
        return message.as_bytes(policy=default.clone(utf8=True, refold_source="none"))
    except (UnicodeError, LookupError):
        return message.as_string().encode("utf-8", "surrogateescape")


def _recipients(envelope: str | None, message: Message) -> list[str]:
    named = [envelope] if envelope else []
    named += [one for name in RECIPIENTS for one in addresses(raw_values(message, name))]
    ours = [address for address in named if arrivals.is_ours(address)]
    if envelope in ours:
        return [envelope]
    return list(dict.fromkeys(ours)) or named[:1]
