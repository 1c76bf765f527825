"""The figures of transactions: purchases, refunds, and the agents they are attributed to."""

from __future__ import annotations

from django.db.models import F, FloatField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from reporting.figures.measures import Fold, Measure, Seconds, count, share
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import REFUNDS, SALES
from reporting.sales.attribution import Outcome

SALE = "transactions"
ATTRIBUTED = Q(outcome=Outcome.ATTRIBUTED)


@figure(report=SALE, label=_("Transactions"))
def transactions(scope: Scope) -> Measure:
    """The purchases made in the period that the brand's site or shop system told us of.

    Each number of the brand counts once. What was refunded does not count, not even in the period
    in which it was bought. Who oversees some groups of a website is told of the purchases
    attributed to their agents.
    """
    return count(SALES)


@figure(report=SALE, label=_("Transactions attributed"), grows_better=True)
def attributed(scope: Scope) -> Measure:
    """The purchases made in the period before which an agent had written to the customer, no
    longer before than the website's delay (R63, R68, R69, C27).

    Each is put down to the agent who wrote last before it, in whichever conversation of the
    customer; never to a bot, and never to who wrote after it. The delay is the one that was set
    when the purchase was recorded.
    """
    return count(SALES, ATTRIBUTED)


@figure(report=SALE, label=_("Share attributed"), unit=Unit.PERCENT, grows_better=True)
def attributed_share(scope: Scope) -> Measure:
    """The share of the purchases of the period that are attributed to an agent.

    A manager of some groups of a website sees those only: to them it says nothing.
    """
    return share(SALES, ATTRIBUTED)


@figure(report=SALE, label=_("Turnover attributed"), unit=Unit.MONEY, grows_better=True)
def turnover(scope: Scope) -> Measure:
    """The sum of the amounts of the purchases attributed to an agent, made in the period, less
    what was given back of them since, in part; what was given back whole does not count at all.

    Amounts of different currencies are never added: where there are several, each has a sum of its
    own ("by currency"), and all together have none.
    """
    worth = Cast(F("amount") - F("refunded"), FloatField())
    return Measure(SALES, Fold.MONEY, ATTRIBUTED, worth, currency="currency")


@figure(report=SALE, label=_("Refunds"), grows_better=False)
def refunds(scope: Scope) -> Measure:
    """How often money was given back in the period, whole or in part, whenever it was paid.

    Each refund counts, also several of one purchase; put down to the agent whose purchase it was.
    """
    return count(REFUNDS)


@figure(report=SALE, label=_("Turnover refunded"), unit=Unit.MONEY, grows_better=False)
def turnover_refunded(scope: Scope) -> Measure:
    """The sum of what was given back in the period of purchases attributed to an agent.

    It is already taken off the turnover of the day of the purchase; currencies are kept apart as
    there.
    """
    theirs = Q(transaction__outcome=Outcome.ATTRIBUTED)
    worth = Cast("amount", FloatField())
    return Measure(REFUNDS, Fold.MONEY, theirs, worth, currency="transaction__currency")


@figure(report=SALE, label=_("From answer to purchase"), unit=Unit.SECONDS)
def answer_to_purchase(scope: Scope) -> Measure:
    """The median time from the agent's last message to the purchase that is attributed to them."""
    return Measure(SALES, Fold.MEDIAN, ATTRIBUTED, Seconds("elapsed"))
