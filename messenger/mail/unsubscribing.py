"""Unsubscribing by an e-mail's link or header: one click, no login, no question (RFC 8058)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core import signing
from django.urls import reverse

from conversations.models import Address
from messenger.models import Mail

_SALT = "messenger.mail.unsubscribe"


def unsubscribe_url(mail: Mail) -> str:
    """Return the URL in the e-mail that switches notifications off. It does not expire."""
    # Without a time, because one must be able to unsubscribe years later.
    word = signing.Signer(salt=_SALT).sign(mail.public_id.hex)
    path = reverse("unsubscribe", args=[mail.conversation.website.key, word])
    return f"{settings.PUBLIC_URL}{path}"


def mail_of(word: str) -> Mail | None:
    """Return the e-mail that contained ``word``; ``None`` if it is forged or long gone."""
    try:
        public_id = uuid.UUID(signing.Signer(salt=_SALT).unsign(word))
    except (signing.BadSignature, ValueError):
        return None
    mails = Mail.objects.select_related("conversation__website")
    return mails.filter(public_id=public_id).first()


def address_of(mail: Mail) -> Address | None:
    """Return the address it went to, if it is still the visitor's."""
    visitor_id = mail.conversation.visitor_id
    return (
        Address.objects.filter(visitor=visitor_id, email=mail.to).select_related("visitor").first()
    )
