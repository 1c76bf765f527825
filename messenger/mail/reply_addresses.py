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

from core.encryption import signing_keys

_SALT = "messenger.mail.reply"
_PATTERN = re.compile(r"[^@]*\+([a-z2-7]{26})([a-z2-7]{24})@[^@]+", re.IGNORECASE)


def reply_address(conversation: uuid.UUID) -> str:
    """Return the reply address of ``conversation``; empty if replies cannot arrive."""
    local, _at, domain = settings.MAIL_REPLY_TO.partition("@")
    if not domain:
        return ""
    signature = _signature(conversation, settings.SECRET_KEY)
    return f"{local}+{_base32(conversation.bytes)}{signature}@{domain}"


def conversation_of(address: str) -> uuid.UUID | None:
    """Return the conversation of a reply address; ``None`` if it is not one of ours."""
    match = _PATTERN.fullmatch(address.strip())
    if match is None:
        return None
    # The padding was left out, because "=" is not allowed everywhere in addresses.
    raw = base64.b32decode(match[1].upper() + "======")
    conversation = uuid.UUID(bytes=raw)
    valid = (_signature(conversation, key) for key in signing_keys())
    # Also with former keys: addresses in old e-mails must go on working.
    if not any(constant_time_compare(match[2].lower(), signature) for signature in valid):
        return None
    return conversation


def _signature(conversation: uuid.UUID, key: str) -> str:
    digest = salted_hmac(_SALT, conversation.hex, secret=key, algorithm="sha256").digest()
    return _base32(digest[:15])


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
