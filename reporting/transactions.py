"""Recording transactions: once for each website and id, attributed at once, until a refund."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.models import Author, Conversation, Message, Visitor
from reporting.attribution import Attribution, Outcome, Word, attribute
from reporting.models import Origin, Transaction

CURRENCY = re.compile(r"[A-Z]{3}")
LARGEST = Decimal("9999999999.99")
CENT = Decimal("0.01")
ID_LIMIT = 100


class Invalid(ValueError):
    """A transaction that cannot be recorded; its text is for people."""


class Conflict(Invalid):
    """The same id was recorded before with something else."""


class Unknown(Invalid):
    """There is no such transaction."""


def check_amount(amount: Decimal) -> Decimal:
    """``amount``, if it is one of money; ``Invalid`` where it is not."""
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise Invalid(_("The amount must be 0 or more."))
    if amount != amount.quantize(CENT):
        raise Invalid(_("The amount has two decimals at most."))
    return amount


@dataclass(frozen=True, slots=True)
class Purchase:
    """What the brand tells: its own number, how much, when. ISO 4217 currency, in units of it."""

    external_id: str
    amount: Decimal
    currency: str
    made_at: datetime

    def __post_init__(self) -> None:
        if not self.external_id or len(self.external_id) > ID_LIMIT or "\0" in self.external_id:
            raise Invalid(_("A transaction needs a number of 1 to 100 characters."))
        check_amount(self.amount)
        if not CURRENCY.fullmatch(self.currency):
            raise Invalid(_("The currency is three capital letters, like EUR."))


def record(
    website: Website,
    purchase: Purchase,
    *,
    visitor: Visitor | None,
    origin: Origin,
    at: datetime,
) -> tuple[Transaction, bool]:
    """Store a purchase; what was stored before is given back with False (a retry is safe).

    The same id with another amount, currency or moment is a ``Conflict``. A visitor of another
    website is nobody here.
    """
    if purchase.made_at > at + timedelta(minutes=5):
        raise Invalid(_("A transaction cannot lie in the future."))
    if visitor is not None and visitor.website_id != website.pk:
        visitor = None
    delay = timedelta(hours=website.transaction_hours)
    found = explain(website, visitor, at=purchase.made_at, delay=delay)
    word = found.word
    conversation = Conversation.objects.filter(pk=word.conversation_id).first() if word else None
    row = Transaction(
        website=website,
        external_id=purchase.external_id,
        amount=purchase.amount,
        currency=purchase.currency,
        made_at=purchase.made_at,
        origin=origin,
        visitor=visitor,
        recorded_at=at,
        outcome=found.outcome,
        agent_id=found.agent_id,
        group_id=conversation.group_id if conversation and found.agent_id else None,
        conversation=conversation,
        message_seq=word.seq if word else None,
        elapsed=found.elapsed,
        delay=delay,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        stored = Transaction.objects.filter(
            website=website, external_id=purchase.external_id
        ).first()
        if stored is None:
            raise
        if (stored.amount, stored.currency, stored.made_at) != (
            purchase.amount,
            purchase.currency,
            purchase.made_at,
        ):
            raise Conflict(_("This number was recorded before with something else.")) from None
        return stored, False
    return row, True


def explain(
    website: Website, visitor: Visitor | None, *, at: datetime, delay: timedelta
) -> Attribution:
    """The attribution of a purchase of this customer, on whichever of his browsers he wrote."""
    if visitor is None:
        return Attribution(Outcome.UNKNOWN_VISITOR)
    his = Q(conversation__visitor=visitor)
    if visitor.person_id is not None:
        his |= Q(conversation__visitor__person=visitor.person_id)
    last = (
        Message.objects.filter(
            his, conversation__website=website, author=Author.AGENT, created_at__lte=at
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
    """Give back ``amount`` of a purchase, all that is left of it where none is said.

    ``number`` is the brand's own, once for each purchase: a repeat changes nothing and is answered
    with False; the same number with another amount is a ``Conflict``. ``Unknown`` where there is no
    such purchase, ``Invalid`` where more would be given back than was paid.
    """
    if len(number) > ID_LIMIT or "\0" in number:
        raise Invalid(_("A refund has a number of 100 characters at most."))
    row = (
        Transaction.objects.select_for_update(no_key=True)
        .filter(website=website, external_id=external_id)
        .first()
    )
    if row is None:
        raise Unknown(_("There is no transaction with this number."))
    stored = row.refunds.filter(external_id=number).first()
    if stored is not None:
        if amount is not None and amount != stored.amount:
            raise Conflict(_("This refund was recorded before with another amount."))
        return row, False
    if row.refunded_at is not None:
        raise Invalid(_("All of it was refunded before."))
    left = row.amount - row.refunded
    given = left if amount is None else check_amount(amount)
    if given > left:
        raise Invalid(_("More would be refunded than was paid."))
    if not given and left:
        raise Invalid(_("A refund must be more than 0."))
    row.refunds.create(external_id=number, amount=given, made_at=at)
    row.refunded += given
    row.refunded_at = at if row.refunded == row.amount else None
    row.save(update_fields=["refunded", "refunded_at"])
    return row, True


def customer_of(website: Website, *, visitor: str = "", person: str = "") -> Visitor | None:
    """The customer by the id of one of his browsers, or by the brand's own id of him."""
    his = website.visitors.all()
    if visitor:
        try:
            return his.filter(public_id=uuid.UUID(visitor)).first()
        except ValueError:
            return None
    if person:
        return his.filter(person__external_id=person).order_by("-pk").first()
    return None


def _word(message: Message) -> Word:
    return Word(message.created_at, message.conversation_id, message.seq, message.agent_id)
