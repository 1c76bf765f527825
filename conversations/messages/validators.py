"""Validation of messages: readable text and valid ids."""

from __future__ import annotations

import unicodedata
import uuid

from django.utils.translation import gettext as _

from core.rejection import Rejected
from core.text.cleaning import words

BODY_LIMIT = 4000


def check_attachment(value: object) -> uuid.UUID | None:
    """Return the id of a message's attachment, or None if it has none."""
    if value is None:
        return None
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise Rejected("invalid", _("The attachment has no valid id."), 400) from None


def check_body(body: object, *, may_be_empty: bool = False) -> str:
    """Return the text to store, with normalized line ends and without control characters. Reject it
    if it is too long, or empty without an attachment."""
    if body is None and may_be_empty:
        return ""
    if not isinstance(body, str):
        raise Rejected("invalid", _("A message must be text."), 400)
    text = words(body)
    # Zero-width characters alone would show an empty bubble.
    # "Cf" are invisible characters.
    if all(character.isspace() or unicodedata.category(character) == "Cf" for character in text):
        if may_be_empty:
            return ""
        raise Rejected("empty", _("The message is empty. Write something first."), 400)
    if len(text) > BODY_LIMIT:
        raise Rejected(
            "too_long",
            _(
                "This message has %(n)d characters. The limit is %(limit)d. Please send it "
                "in several parts."
            )
            % {"n": len(text), "limit": BODY_LIMIT},
            413,
        )
    return text


def check_client_id(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise Rejected("invalid", _("The message has no valid id."), 400) from None
