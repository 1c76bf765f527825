"""Who writes in the Messenger: bearer tokens, the visitors that consent makes, and who they are."""

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
from conversations.models import Consent, Person, Visitor
from conversations.visitors import persons
from core.rejection import Rejected
from messenger import identity
from messenger.identity import Claims
from messenger.links import guest_of
from messenger.mail import addresses


@dataclass(frozen=True, slots=True)
class Known:
    """Who a browser is; ``token`` is what it shows from now on, told once, where that changed."""

    visitor: Visitor
    token: str | None


def hash_token(token: str) -> str:
    """What is kept of a token: its SHA-256 in hex. It has 256 bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def visitor_of(request: HttpRequest, website: Website) -> Visitor:
    """The visitor whose bearer token the request carries; ``Rejected`` (401) where it is nobody's
    on this website."""
    visitor = bearer_of(request, website)
    if visitor is None:
        raise Rejected("token", _("We do not know this browser any more. Please start again."), 401)
    return visitor


def bearer_of(request: HttpRequest, website: Website) -> Visitor | None:
    """The visitor whose token the request carries, if it carries one that is known."""
    token = _bearer(request)
    return website.visitors.filter(token_hash=hash_token(token)).first() if token else None


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
    website: Website, consent: Consent, *, at: datetime, claims: Claims | None = None
) -> tuple[Visitor, str]:
    """Make a visitor who has just agreed; returns the token, told once. With ``claims`` he is that
    person from the start."""
    visitor, token = _begin(website, language=consent.language, at=at)
    persons.say(visitor, consent)
    if claims is not None:
        _use_once(claims, visitor, at=at)
        persons.link(visitor, _person(website, claims, at=at))
        addresses.follow_claim(visitor, at=at)
    return visitor, token


@transaction.atomic
def identify(
    website: Website, claims: Claims, *, visitor: Visitor | None, language: str, at: datetime
) -> Known | None:
    """This browser belongs to the person that ``claims`` name (C14, R32).

    An unknown browser becomes a new visitor of a person who is known; ``None`` where the person is
    not known either, or has withdrawn consent: consent will make both. ``Rejected`` where this
    browser's visitor has. A browser that was somebody else's becomes a new
    visitor, too: what the other one said stays his. Whoever becomes known gets a new token (N11).
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
    """A known customer logs out: this browser's token opens nothing any more. Whether it did; who
    was never known keeps what he has."""
    if visitor.person_id is None:
        return False
    _new_token(visitor)
    return True


def _begin(website: Website, *, language: str, at: datetime) -> tuple[Visitor, str]:
    token = secrets.token_urlsafe(32)
    visitor = Visitor.objects.create(
        website=website, token_hash=hash_token(token), language=language, created_at=at
    )
    return visitor, token


def _new_token(visitor: Visitor) -> str:
    token = secrets.token_urlsafe(32)
    visitor.token_hash = hash_token(token)
    visitor.save(update_fields=["token_hash"])
    return token


def _person(website: Website, claims: Claims, *, at: datetime) -> Person:
    """The person as the brand describes him now, the row locked."""
    Person.objects.bulk_create(
        [Person(website=website, external_id=claims.external_id, created_at=at)],
        ignore_conflicts=True,
    )
    person = Person.objects.select_for_update(no_key=True).get(
        website=website, external_id=claims.external_id
    )
    if (person.name, person.profile) != (claims.name, claims.profile):
        person.name, person.profile = claims.name, claims.profile
        person.save(update_fields=["name", "profile"])
        if claims.name:
            person.visitors.update(name=claims.name)
    return person


def _use_once(claims: Claims, visitor: Visitor, *, at: datetime) -> None:
    """A token with a ``jti`` is good for one browser (N10); nothing else is kept of it."""
    if not claims.once:
        return
    key = f"identity:{hash_token(f'{visitor.website_id} {claims.once}')}"
    seconds = int((claims.expires_at + identity.LEEWAY - at).total_seconds()) + 1
    if not cache.add(key, visitor.pk, max(seconds, 1)) and cache.get(key) != visitor.pk:
        raise identity.refusal(_("The identity token has been used in another browser already."))
