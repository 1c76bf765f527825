"""Signed addresses to which a visitor's mail program replies: one for each conversation.

Mail servers may change the case of an address, and the part before the @ has at most 64 characters
(RFC 5321): 26 letters of base 32 for the conversation, 24 for the signature (120 bits).
"""

from __future__ import annotations

import base64
import re
import uuid

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_SALT = "messenger.mail.reply"
_PATTERN = re.compile(r"[^@]*\+([a-z2-7]{26})([a-z2-7]{24})@[^@]+", re.IGNORECASE)


def reply_address(conversation: uuid.UUID) -> str:
    """Return the reply address of ``conversation``; empty if replies cannot arrive."""
    local, _at, domain = settings.MAIL_REPLY_TO.partition("@")
    if not domain:
        return ""
    return f"{local}+{_base32(conversation.bytes)}{_signature(conversation)}@{domain}"


def conversation_of(address: str) -> uuid.UUID | None:
    """Return the conversation of a reply address; ``None`` if it is not one of ours."""
    found = _PATTERN.fullmatch(address.strip())
    if found is None:
        return None
    raw = base64.b32decode(found[1].upper() + "======")
    conversation = uuid.UUID(bytes=raw)
    if not constant_time_compare(found[2].lower(), _signature(conversation)):
        return None
    return conversation


def _signature(conversation: uuid.UUID) -> str:
    digest = salted_hmac(_SALT, conversation.hex, algorithm="sha256").digest()
    return _base32(digest[:15])


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
