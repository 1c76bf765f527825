"""The visitor's e-mail address: given, changed, deleted, and whether notifications are on."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Website
from conversations.models import Address, Conversation, Person, Visitor
from conversations.visitors.persons import browsers_of, check_willing
from core.rejection import Rejected
from messenger.models import Mail, MailStatus

LENGTH = 254  # RFC 5321: what a path between servers can carry.


def is_on(website: Website) -> bool:
    """Return whether ``website`` sends e-mails to its visitors at all."""
    sender = getattr(website, "sender", None)
    return bool(settings.MAIL_IS_SENT) and (sender is None or sender.is_on)


def require(website: Website, visitor: Visitor, *, gives: bool) -> None:
    """Raise ``Rejected`` if the visitor cannot choose anything about e-mail.

    The website sends none (409), or a visitor who ``gives`` an address has withdrawn consent (403).
    """
    if not is_on(website):
        raise Rejected("refused", _("This site does not send e-mails."), 409)
    if gives:
        check_willing(visitor)


def check_email(value: object) -> str:
    """Return the address to store; ``Rejected`` (400) with a sentence for the visitor."""
    # Pasted text may contain invisible characters; no reply would ever match them.
    text = value if isinstance(value, str) else ""
    email = "".join(one for one in text if unicodedata.category(one) != "Cf").strip()
    if not email:
        raise Rejected("empty", _("Please enter your e-mail address."), 400)
    try:
        EmailValidator()(email)
        email.encode("idna" if not email.isascii() else "ascii")
    except (ValidationError, UnicodeError):
        email = ""
    if not email or len(email) > LENGTH:
        raise Rejected(
            "invalid",
            _(
                "This does not look like an e-mail address. Please check it, for example "
                "name@example.com."
            ),
            400,
        )
    local, _at, domain = email.rpartition("@")
    # Only the domain: the local part belongs to its mail server, which may tell capitals apart.
    return f"{local}@{domain.lower()}"


@transaction.atomic
def give(visitor: Visitor, email: str, *, at: datetime) -> Address:
    """Store an address (R6, R23) on all browsers of a person, with notifications on."""
    for browser in browsers_of(visitor):
        Address.objects.update_or_create(
            visitor=browser,
            defaults={"email": email, "wants_mail": True, "given_at": at, "refused_at": None},
        )
    _cancel(visitor, at=at)
    look_again(visitor, at=at)
    return Address.objects.get(visitor=visitor)


@transaction.atomic
def follow_claim(visitor: Visitor, *, at: datetime) -> None:
    """Take over the e-mail address of a signed identity, if nothing else is known (C66).

    It follows the brand's changes until the visitor leaves another address or deletes it; from then
    on the visitor's own choice counts. The caller holds the lock of the person's row.
    """
    person = visitor.person
    signed = person.profile.get("email") if person else None
    if person is None or not signed or visitor.withdrawn_at is not None:
        return
    try:
        claimed = check_email(signed)
    except Rejected:
        return  # The brand's value is no valid address; the visitor is asked for one.
    if claimed == person.claimed_email or not is_on(visitor.website):
        return
    before, person.claimed_email = person.claimed_email, claimed
    person.save(update_fields=["claimed_email"])
    own = Address.objects.filter(visitor__person=person).first()
    if (own.email if own else "") == before:
        give(visitor, claimed, at=at)


def doubt_claim(visitor: Visitor) -> None:
    """Forget the claimed address after a withdrawal: with a new consent it counts again."""
    if visitor.person_id is not None:
        Person.objects.filter(pk=visitor.person_id).update(claimed_email="")


@transaction.atomic
def forget(visitor: Visitor, *, at: datetime) -> None:
    """Delete the address (R24) and cancel what was owed to it."""
    Address.objects.filter(visitor__in=browsers_of(visitor)).delete()
    _cancel(visitor, at=at)


@transaction.atomic
def want_mail(visitor: Visitor, *, wanted: bool, at: datetime) -> Address | None:
    """Switch notifications on or off (R25); return ``None`` if there is no address."""
    Address.objects.filter(visitor__in=browsers_of(visitor)).update(wants_mail=wanted)
    if wanted:
        look_again(visitor, at=at)
    else:
        _cancel(visitor, at=at)
    return Address.objects.filter(visitor=visitor).first()


def _cancel(visitor: Visitor, *, at: datetime) -> None:
    """Cancel what is owed and not being sent right now; a sending worker checks by itself."""
    reason = gettext_noop("the visitor has made another choice")
    mine = Mail.objects.filter(conversation__visitor__in=browsers_of(visitor))
    owed = mine.filter(status=MailStatus.OWED)
    # A claimed one stays with its worker, which asks ``why_not`` before it sends.
    owed.filter(leased_until=None).update(status=MailStatus.CANCELLED, reason=reason, ended_at=at)


def look_again(visitor: Visitor, *, at: datetime) -> None:
    """Make earlier answers due: they came before the address, or while the history was hidden."""
    Conversation.objects.filter(
        visitor__in=browsers_of(visitor),
        is_asynchronous=True,
        notify_at=None,
        last_agent_message_at__isnull=False,
        visitor_read_seq__lt=F("last_seq"),
    ).update(notify_at=at)


def shown(address: Address | None) -> dict[str, Any] | None:
    """Return an address as the Messenger shows it to its visitor."""
    if address is None:
        return None
    return {
        "address": address.email,
        "on": address.wants_mail,
        "refused": address.refused_at is not None,
    }
