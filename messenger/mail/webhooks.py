"""The door for replies where a provider receives them: django-anymail's webhooks.

Anymail checks who calls, reads each provider's format, and tells it by its one signal; that signal
is connected in ``config.wiring``, as every other reaction.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from messenger.mail import replies
from messenger.mail.reply_addresses import conversation_of


def receive(sender: Any, event: Any, esp_name: str, **_more: Any) -> None:
    """A mail came in. What is raised here makes the provider try again."""
    message = event.message
    envelope = message.envelope_recipient
    named = [envelope] if envelope else [address.addr_spec for address in message.to + message.cc]
    ours = [address for address in named if conversation_of(address) is not None]
    replies.take(message.as_bytes(), ours or named[:1], at=timezone.now())
