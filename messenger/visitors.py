"""Who writes in the Messenger: bearer tokens, and the visitors that consent makes."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.messages import Rejected
from conversations.models import Consent, Visitor
from messenger.links import guest_of
from messenger.texts import sha256_of


def hash_token(token: str) -> str:
    """What is kept of a token: its SHA-256 in hex. It has 256 bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def visitor_of(request: HttpRequest, website: Website) -> Visitor:
    """The visitor whose bearer token the request carries; ``Rejected`` (401) where it is nobody's
    on this website."""
    token = _bearer(request)
    visitor = website.visitors.filter(token_hash=hash_token(token)).first() if token else None
    if visitor is None:
        raise Rejected("token", _("We do not know this browser any more. Please start again."), 401)
    return visitor


def reader_of(request: HttpRequest, website: Website) -> tuple[Visitor, uuid.UUID | None]:
    """Whose words may be read, and the one conversation where somebody comes by a mail's link
    (C11); ``None`` for the visitor in person."""
    guest = guest_of(_bearer(request))
    if guest is not None and guest.visitor.website_id == website.pk:
        return guest.visitor, guest.conversation
    return visitor_of(request, website), None


def token_hash_for(token: str, conversation: uuid.UUID) -> str:
    """The hash by which ``token`` opens ``conversation``: its own, or that of the visitor whose
    mail's link it is. One query more for links, none for visitors."""
    guest = guest_of(token)
    if guest is not None and guest.conversation == conversation:
        return guest.visitor.token_hash
    return hash_token(token)


def _bearer(request: HttpRequest) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@transaction.atomic
def welcome(
    website: Website, *, language: str, consent_text: str, at: datetime
) -> tuple[Visitor, str]:
    """Make a visitor who has just agreed to ``consent_text``; returns the token, told once."""
    token = secrets.token_urlsafe(32)
    visitor = Visitor.objects.create(
        website=website, token_hash=hash_token(token), language=language, created_at=at
    )
    Consent.objects.create(
        visitor=visitor,
        language=language,
        text=consent_text,
        text_sha256=sha256_of(consent_text),
        given_at=at,
    )
    return visitor, token
