"""Links in e-mails: a signed word that opens one conversation, expires, and is no login (C11).

The word names the e-mail. Its bearer may read and continue that e-mail's conversation and answer
its survey, on any device, and nothing else: no other conversation, no new one, no settings. It is
valid while the address it was sent to is still the visitor's.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing

from conversations.models import Visitor
from messenger.models import Mail

PREFIX = "mail."
# Not this module's name: links that were mailed are signed with it.
_SALT = "messenger.links"


@dataclass(frozen=True, slots=True)
class Guest:
    """The bearer of a link: acts as ``visitor``, but in one conversation only."""

    visitor: Visitor
    conversation: uuid.UUID


def word_for(mail: Mail) -> str:
    """Return the word for the link in an e-mail; its bearer shows it as a visitor's token."""
    return PREFIX + signing.TimestampSigner(salt=_SALT).sign(mail.public_id.hex)


def guest_of(word: str) -> Guest | None:
    """Return the guest with this ``word``; ``None`` if it is forged, expired or withdrawn."""
    if not word.startswith(PREFIX):
        return None
    signer = signing.TimestampSigner(salt=_SALT)
    try:
        days = timedelta(days=settings.MAIL_LINK_DAYS)
        public_id = uuid.UUID(signer.unsign(word.removeprefix(PREFIX), max_age=days))
    except (signing.BadSignature, ValueError):
        return None
    mail = (
        Mail.objects.select_related("conversation__visitor__address")
        .filter(public_id=public_id)
        .first()
    )
    if mail is None:
        return None
    visitor = mail.conversation.visitor
    address = getattr(visitor, "address", None)
    if address is None or address.email != mail.to:
        return None
    return Guest(visitor, mail.conversation.public_id)
