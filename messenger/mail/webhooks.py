"""The door for replies where a provider receives them: django-anymail's webhooks.

Anymail checks who calls, reads each provider's format, and tells it by its one signal; that signal
is connected in ``config.wiring``, as every other reaction. From here on a mail takes the way of
those that come over LMTP.
"""

from __future__ import annotations

import email
from email.message import Message
from email.policy import default
from typing import Any

from django.utils import timezone

from messenger.mail import replies
from messenger.mail.headers import addresses, raw_values
from messenger.mail.reply_addresses import conversation_of

# Where an address stands that a mail was delivered to, the surest first.
RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To", "To", "Cc")


def receive(sender: Any, event: Any, esp_name: str, **_more: Any) -> None:
    """A mail came in. What is raised here makes the provider try again."""
    message = event.message
    raw = bytes_of(message)
    recipients = _recipients(message.envelope_recipient, email.message_from_bytes(raw))
    replies.take(raw, recipients, at=timezone.now(), sender=message.envelope_sender)


def bytes_of(message: Message) -> bytes:
    """A mail as it would have come from a mail server; headers may be UTF-8 and not encoded."""
    try:
        return message.as_bytes(policy=default.clone(utf8=True, refold_source="none"))
    except (UnicodeError, LookupError):
        return message.as_string().encode("utf-8", "surrogateescape")


def _recipients(envelope: str | None, message: Message) -> list[str]:
    named = [envelope] if envelope else []
    named += [one for name in RECIPIENTS for one in addresses(raw_values(message, name))]
    ours = [address for address in named if conversation_of(address) is not None]
    if envelope in ours:
        return [envelope]
    return list(dict.fromkeys(ours)) or named[:1]
