"""Consent: requested, stored as proof, withdrawn as easily as given (R26, R27)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.messages import rejections
from conversations.models import Consent, ConsentKind, Visitor
from conversations.visitors import persons
from core.rejection import Rejected
from messenger.mail import addresses
from messenger.website_texts import DEFAULTS, consent_of, sha256_of

IN_FORCE, OUTDATED, WITHDRAWN = "given", "outdated", "withdrawn"


def agreed(website: Website, *, language: str, sha256: object, at: datetime) -> Consent:
    """Return the consent to the present text in ``language``, not stored yet.

    Raise ``Rejected`` (403) if that is not the text that was shown.
    """
    text = consent_of(website, language)
    if sha256 != sha256_of(text):
        raise Rejected(
            "consent", _("This text has changed in the meantime. Please read it again."), 403
        )
    return Consent(
        kind=ConsentKind.GIVEN,
        version=website.consent_version,
        language=language,
        text=text,
        text_sha256=sha256_of(text),
        given_at=at,
        covers_mirroring=website.mirrors_screen,
        covers_stored_looks=website.stores_looks,
    )


def standing(visitor: Visitor, website: Website) -> str:
    """Return whether a consent is in force, outdated or withdrawn.

    It is outdated if the text has changed since, compared in the language in which it was read.
    """
    consent = persons.last_consent(visitor)
    if visitor.withdrawn_at is not None or (consent and consent.kind == ConsentKind.WITHDRAWN):
        return WITHDRAWN
    if consent is None or consent.language not in DEFAULTS:
        return OUTDATED
    now = sha256_of(consent_of(website, consent.language))
    return IN_FORCE if consent.text_sha256 == now else OUTDATED


def require(visitor: Visitor, website: Website) -> None:
    """Raise ``Rejected`` (403 ``consent``) unless the consent needed to start is in force (R27)."""
    if standing(visitor, website) != IN_FORCE:
        raise rejections.without_consent()


@transaction.atomic
def give(visitor: Visitor, consent: Consent) -> None:
    """Store a consent, given again or to a new text."""
    persons.lock(visitor)
    persons.record(visitor, consent)


@transaction.atomic
def withdraw(visitor: Visitor, website: Website, *, at: datetime) -> None:
    """Withdraw consent: neither side can send from now on, and the e-mail address is deleted.

    The conversation stays as it is: closing it is for agents (R62).
    """
    persons.lock(visitor)
    if standing(visitor, website) == WITHDRAWN:
        return
    before = persons.last_consent(visitor)
    persons.record(
        visitor,
        Consent(
            kind=ConsentKind.WITHDRAWN,
            version=before.version if before else website.consent_version,
            language=before.language if before else visitor.language,
            text=before.text if before else "",
            text_sha256=before.text_sha256 if before else "",
            given_at=at,
        ),
    )
    addresses.forget(visitor, at=at)
    addresses.doubt_claim(visitor)
