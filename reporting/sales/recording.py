"""Recording transactions: once for each website and id, attributed at once, and refunds."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.models import Author, Conversation, Message, Visitor
from core.text.cleaning import is_identifier
from reporting.models import Claim, Origin, Transaction
from reporting.sales.attribution import Attribution, AttributionResult, Word, attribute

CURRENCY = re.compile(r"[A-Z]{3}")
LARGEST = Decimal("9999999999.99")
CENT = Decimal("0.01")
ID_LIMIT = 100
EARLIEST_YEAR = 2000
AUTHENTICATED = frozenset({Origin.API, Origin.IMPORT})
"""The entry points that only the brand itself can use. Anybody can forge what a page sends."""


class Invalid(ValueError):
    """A transaction that cannot be recorded. The message is shown to users."""


class Conflict(Invalid):
    """The same id was recorded before with other data."""


class Unknown(Invalid):
    """There is no such transaction."""


def check_amount(amount: Decimal) -> Decimal:
    """Return ``amount`` if it is a valid amount of money. Raises ``Invalid`` otherwise."""
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise Invalid(_("The amount must be 0 or more."))
    if amount != amount.quantize(CENT):
        raise Invalid(_("The amount can have up to two decimals."))
    return amount


@dataclass(frozen=True, slots=True)
class Purchase:
    """A reported purchase: the brand's own number, the amount in units of an ISO 4217 currency, and
    the moment. Without ``made_at`` it is the moment of the first report."""

    external_id: str
    amount: Decimal
    currency: str
    made_at: datetime | None = None

    def __post_init__(self) -> None:
        if not is_identifier(self.external_id) or len(self.external_id) > ID_LIMIT:
            raise Invalid(_("The transaction number must have 1 to 100 characters, all visible."))
        check_amount(self.amount)
        if not CURRENCY.fullmatch(self.currency):
            raise Invalid(_("The currency must be three capital letters, such as EUR."))
        if self.made_at is not None and self.made_at.year < EARLIEST_YEAR:
            raise Invalid(_("The transaction cannot be dated before the year 2000."))


def record(
    website: Website,
    purchase: Purchase,
    *,
    visitor: Visitor | None,
    origin: Origin,
    at: datetime,
) -> tuple[Transaction, bool]:
    """Store a purchase and return it with True, or return the stored one with False (a retry is
    safe).

    A report by an authenticated entry point (``AUTHENTICATED``) replaces what a page reported
    before, and a page changes nothing that such an entry point reported; both stay on record (C59).
    Between entry points of the same trust, the same id with another amount, currency or moment
    raises ``Conflict``. A visitor of another website is ignored.
    """
    if purchase.made_at is not None and purchase.made_at > at + timedelta(minutes=5):
        raise Invalid(_("The transaction cannot be in the future."))
    if visitor is not None and visitor.website_id != website.pk:
        visitor = None
    row = Transaction(website=website, external_id=purchase.external_id)
    _apply(row, purchase, visitor=visitor, origin=origin, made_at=purchase.made_at or at, at=at)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return _apply_again(website, purchase, visitor=visitor, origin=origin, at=at), False
    return row, True


def _apply(
    row: Transaction,
    purchase: Purchase,
    *,
    visitor: Visitor | None,
    origin: Origin,
    made_at: datetime,
    at: datetime,
) -> None:
    """Set the reported values on a row, with the attribution that follows from them."""
    website = row.website
    row.amount, row.currency, row.made_at = purchase.amount, purchase.currency, made_at
    row.origin, row.visitor, row.recorded_at = origin, visitor, at
    row.delay = timedelta(hours=website.transaction_hours)
    explanation = explain(website, visitor, at=made_at, delay=row.delay)
    word = explanation.word
    mine = Conversation.objects.filter(pk=word.conversation_id).first() if word else None
    row.outcome, row.agent_id = explanation.outcome, explanation.agent_id
    row.elapsed, row.message_seq = explanation.elapsed, word.seq if word else None
    row.conversation = mine
    row.group_id = _group_of(word, mine) if word and mine and explanation.agent_id else None
    row.rule_id = mine.rule_id if mine else None
    row.style, row.language = (mine.style, mine.language) if mine else (None, None)


def _group_of(word: Word, conversation: Conversation) -> int | None:
    """Return the group for which the message was written: that of the contact at the time, wherever
    the conversation has gone since (C58)."""
    contact = (
        conversation.contacts.filter(agent=word.agent_id, started_at__lte=word.at)
        .order_by("-started_at", "-pk")
        .first()
    )
    return contact.group_id if contact else conversation.group_id


@transaction.atomic
def _apply_again(
    website: Website,
    purchase: Purchase,
    *,
    visitor: Visitor | None,
    origin: Origin,
    at: datetime,
) -> Transaction:
    """Apply a further report of a recorded purchase and return the stored row. Raises ``Conflict``
    if the two contradict each other."""
    stored = (
        Transaction.objects.select_for_update(no_key=True, of=("self",))
        .select_related("website", "visitor")
        .get(website=website, external_id=purchase.external_id)
    )
    agrees = (stored.amount, stored.currency) == (purchase.amount, purchase.currency)
    if origin in AUTHENTICATED and stored.origin not in AUTHENTICATED:
        _override(stored, purchase, visitor=visitor, origin=origin, agrees=agrees, at=at)
    elif origin not in AUTHENTICATED and stored.origin in AUTHENTICATED:
        _claim(
            stored,
            origin=origin,
            amount=purchase.amount,
            currency=purchase.currency,
            made_at=purchase.made_at or at,
            visitor=visitor,
            recorded_at=at,
        )
    elif not agrees or purchase.made_at not in {None, stored.made_at}:
        raise Conflict(_("This number was already recorded with different data."))
    return stored


def _override(
    stored: Transaction,
    purchase: Purchase,
    *,
    visitor: Visitor | None,
    origin: Origin,
    agrees: bool,
    at: datetime,
) -> None:
    """Replace a page's report by an authenticated one; the former stays on record as a claim.

    A missing buyer or moment is taken from the page's report, but only if that ``agrees``: a page
    that was wrong about the amount is not trusted about the rest.
    """
    if purchase.amount < stored.refunded:
        raise Conflict(_("The amount already refunded is higher than this amount."))
    fields = ("origin", "amount", "currency", "made_at", "visitor", "recorded_at")
    _claim(stored, **{name: getattr(stored, name) for name in fields})
    made_at = purchase.made_at or (stored.made_at if agrees else at)
    visitor = visitor or (stored.visitor if agrees else None)
    _apply(stored, purchase, visitor=visitor, origin=origin, made_at=made_at, at=at)
    if stored.refunded < stored.amount:
        stored.refunded_at = None
    elif stored.refunded:
        stored.refunded_at = stored.refunded_at or at
    stored.save()


def _claim(stored: Transaction, *, origin: str, **purchase: Any) -> None:
    """Store what a page reported, once."""
    Claim.objects.get_or_create(transaction=stored, origin=origin, defaults=purchase)


def explain(
    website: Website, visitor: Visitor | None, *, at: datetime, delay: timedelta
) -> Attribution:
    """Return the attribution of a purchase by this customer, from messages on any of their
    browsers."""
    if visitor is None:
        return Attribution(AttributionResult.UNKNOWN_VISITOR)
    theirs = Q(conversation__visitor=visitor)
    if visitor.person_id is not None:
        theirs |= Q(conversation__visitor__person=visitor.person_id)
    last = (
        Message.objects.filter(
            theirs, conversation__website=website, author=Author.AGENT, created_at__lte=at
        )
        .order_by("-created_at", "-conversation", "-seq")
        .first()
    )
    words = [] if last is None else [_word(last)]
    return attribute(words, at=at, delay=delay)


@transaction.atomic
def refund(
    website: Website,
    external_id: str,
    *,
    at: datetime,
    amount: Decimal | None = None,
    number: str = "",
) -> tuple[Transaction, bool]:
    """Refund ``amount`` of a purchase, or all that is left of it.

    ``number`` is the brand's own, unique for each purchase: a repeat changes nothing and returns
    False; the same number with another amount raises ``Conflict``. Raises ``Unknown`` if there is
    no such purchase, ``Invalid`` if more would be refunded than was paid.
    """
    if len(number) > ID_LIMIT or (number and not is_identifier(number)):
        raise Invalid(_("The refund number must have up to 100 characters, all visible."))
    row = (
        Transaction.objects.select_for_update(no_key=True)
        .filter(website=website, external_id=external_id)
        .first()
    )
    if row is None:
        raise Unknown(_("No transaction has this number."))
    stored = row.refunds.filter(external_id=number).first()
    if stored is not None:
        if amount is not None and amount != stored.amount:
            raise Conflict(_("This refund was already recorded with a different amount."))
        return row, False
    if row.refunded_at is not None:
        raise Invalid(_("This transaction is already fully refunded."))
    left = row.amount - row.refunded
    given = left if amount is None else check_amount(amount)
    if given > left:
        raise Invalid(_("The refund exceeds the amount paid."))
    if not given and left:
        raise Invalid(_("The refund must be more than 0."))
    row.refunds.create(external_id=number, amount=given, made_at=at)
    row.refunded += given
    row.refunded_at = at if row.refunded == row.amount else None
    row.save(update_fields=["refunded", "refunded_at"])
    return row, True


def customer_of(website: Website, *, visitor: str = "", person: str = "") -> Visitor | None:
    """Return the customer by the id of one of their browsers, or by the brand's own id."""
    theirs = website.visitors.all()
    if visitor:
        try:
            return theirs.filter(public_id=uuid.UUID(visitor)).first()
        except ValueError:
            return None
    if is_identifier(person):
        return theirs.filter(person__external_id=person).order_by("-pk").first()
    return None


def _word(message: Message) -> Word:
    return Word(message.created_at, message.conversation_id, message.seq, message.agent_id)
