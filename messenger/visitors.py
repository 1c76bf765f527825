"""Visitors of the Messenger: bearer tokens, consent that creates visitors, and identity."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.facts import VisitorLoggedOut
from conversations.models import Consent, Person, Visitor
from conversations.visitors import persons
from core.db import bulk_sql
from core.events import bus
from core.rejection import Rejected
from messenger import identity
from messenger.identity import Claims
from messenger.mail import addresses
from messenger.mail.links import guest_of

# Plain SQL: nearly every request of a visitor runs it.
VISITOR = "SELECT * FROM conversations_visitor WHERE website_id = %s AND token_hash = %s"


@dataclass(frozen=True, slots=True)
class Known:
    """A browser's visitor. ``token`` is their new token, returned once, if it has changed."""

    visitor: Visitor
    token: str | None


def hash_token(token: str) -> str:
    """Return what is stored of a token: its SHA-256 in hex. With its 256 bits it needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def visitor_of(request: HttpRequest, website: Website) -> Visitor:
    """Return the visitor of the request's bearer token; ``Rejected`` (401) if there is none."""
    visitor = bearer_of(request, website)
    if visitor is None:
        raise Rejected("token", _("We no longer recognise this browser. Please start again."), 401)
    return visitor


def bearer_of(request: HttpRequest, website: Website) -> Visitor | None:
    """Return the visitor of the request's bearer token, if it is a known one."""
    token = bearer(request)
    if not token:
        return None
    found = Visitor.objects.raw(VISITOR, [website.pk, hash_token(token)])
    visitor = next(iter(found), None)
    if visitor is not None:
        visitor.website = website
    return visitor


def reader_of(request: HttpRequest, website: Website) -> tuple[Visitor, uuid.UUID | None]:
    """Return whose conversations may be read, and which one only, for a link in an e-mail (C11).

    It is ``None`` for the visitor in person.
    """
    guest = guest_of(bearer(request))
    if guest is not None and guest.visitor.website_id == website.pk:
        return guest.visitor, guest.conversation
    return visitor_of(request, website), None


def token_hash_for(token: str, conversation: uuid.UUID) -> str:
    """Return the hash by which ``token`` opens ``conversation``.

    Its own, or that of the visitor whose e-mail contained the link. Links cost one more query,
    visitors' tokens none.
    """
    guest = guest_of(token)
    if guest is not None and guest.conversation == conversation:
        return guest.visitor.token_hash
    return hash_token(token)


def bearer(request: HttpRequest) -> str:
    """Return the token that the request carries, or ""."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@transaction.atomic
def create(
    website: Website, consent: Consent, *, at: datetime, claims: Claims | None = None
) -> tuple[Visitor, str]:
    """Create a visitor who has just consented; return the token, which is shown once.

    With ``claims`` they are that person from the start.
    """
    visitor, token = _begin(website, language=consent.language, at=at)
    persons.record_first(visitor, consent)
    if claims is not None:
        _use_once(claims, visitor, at=at)
        persons.link(visitor, _person(website, claims, at=at))
        addresses.follow_claim(visitor, at=at)
    return visitor, token


@transaction.atomic
def identify(
    website: Website, claims: Claims, *, visitor: Visitor | None, language: str, at: datetime
) -> Known | None:
    """Link this browser to the person that ``claims`` name (C14, R32).

    An unknown browser becomes a new visitor of a known person. ``None`` if the person is unknown
    too, or has withdrawn consent: consent will create both. ``Rejected`` if this browser's visitor
    has withdrawn it. A browser of somebody else becomes a new visitor, too: the other person's
    messages stay theirs. A browser whose identity becomes known gets a new token (N11).
    """
    known = Person.objects.filter(website=website, external_id=claims.external_id).first()
    if visitor is not None and visitor.person_id not in {None, known and known.pk}:
        visitor = None
    if visitor is None:
        if known is None or known.visitors.filter(withdrawn_at__isnull=False).exists():
            return None
        visitor, token = _begin(website, language=language, at=at)
        _use_once(claims, visitor, at=at)
        persons.link(visitor, _person(website, claims, at=at))
        addresses.follow_claim(visitor, at=at)
        return Known(visitor, token)
    visitor = Visitor.objects.select_for_update(no_key=True).get(pk=visitor.pk)
    persons.check_willing(visitor)
    _use_once(claims, visitor, at=at)
    person = _person(website, claims, at=at)
    if visitor.person_id == person.pk:
        visitor.person = person
        addresses.follow_claim(visitor, at=at)
        return Known(visitor, None)
    persons.link(visitor, person)
    addresses.follow_claim(visitor, at=at)
    return Known(visitor, _new_token(visitor))


@transaction.atomic
def leave(visitor: Visitor) -> bool:
    """Log a known customer out: this browser's token becomes invalid and its sockets close. Return
    whether it did.

    A visitor who was never identified is not affected.
    """
    if visitor.person_id is None:
        return False
    _new_token(visitor)
    bus.publish(VisitorLoggedOut(visitor_id=visitor.pk))
    return True


def _begin(website: Website, *, language: str, at: datetime) -> tuple[Visitor, str]:
    token = secrets.token_urlsafe(32)
    visitor = Visitor(
        website=website, token_hash=hash_token(token), language=language, created_at=at
    )
    bulk_sql.add(visitor)
    return visitor, token


def _new_token(visitor: Visitor) -> str:
    token = secrets.token_urlsafe(32)
    visitor.token_hash = hash_token(token)
    visitor.save(update_fields=["token_hash"])
    return token


def _person(website: Website, claims: Claims, *, at: datetime) -> Person:
    """Return the person as the brand describes them now, with the row locked."""
    # An insert that ignores a conflict, because two browsers may be the first at once.
    Person.objects.bulk_create(
        [Person(website=website, external_id=claims.external_id, created_at=at)],
        ignore_conflicts=True,
    )
    person = Person.objects.select_for_update(no_key=True).get(
        website=website, external_id=claims.external_id
    )
    persons.describe(person, name=claims.name, profile=claims.profile)
    return person


def _use_once(claims: Claims, visitor: Visitor, *, at: datetime) -> None:
    """Restrict a token with a ``jti`` to one browser (N10); nothing else is stored of it."""
    if not claims.once:
        return
    key = f"identity:{hash_token(f'{visitor.website_id} {claims.once}')}"
    seconds = int((claims.expires_at + identity.LEEWAY - at).total_seconds()) + 1
    # The same browser may send the token again, as after a lost response.
    if not cache.add(key, visitor.pk, max(seconds, 1)) and cache.get(key) != visitor.pk:
        raise identity.refusal(_("The identity token has already been used in another browser."))
