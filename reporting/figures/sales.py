"""The figures of transactions: purchases, refunds, and the agents they are attributed to."""

from __future__ import annotations

from django.db.models import F, FloatField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from reporting.figures.measures import Fold, Measure, Seconds, count, share
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import REFUNDS, SALES
from reporting.sales.attribution import AttributionResult

SALE = "transactions"
ATTRIBUTED = Q(outcome=AttributionResult.ATTRIBUTED)


@figure(report=SALE, label=_("Transactions"))
def transactions(scope: Scope) -> Measure:
    """The purchases made in the period, as reported by the brand's site or shop system.

    Each of the brand's purchase numbers counts once. Fully refunded purchases do not count, even in
    the period of the purchase. Managers of some groups of a website see the purchases attributed to
    their agents.
    """
    return count(SALES)


@figure(report=SALE, label=_("Transactions attributed"), grows_better=True)
def attributed(scope: Scope) -> Measure:
    """The purchases made in the period after an agent had written to the customer, within the
    website's delay (R63, R68, R69, C27).

    Each purchase is attributed to the agent who wrote last before it, in any conversation of the
    customer. It is never attributed to a bot or to someone who wrote after it. The delay is the one
    that was set when the purchase was recorded.
    """
    return count(SALES, ATTRIBUTED)


@figure(report=SALE, label=_("Share attributed"), unit=Unit.PERCENT, grows_better=True)
def attributed_share(scope: Scope) -> Measure:
    """The share of the period's purchases that are attributed to an agent.

    Managers of some groups of a website see only those groups, so this share means nothing to them.
    """
    return share(SALES, ATTRIBUTED)


@figure(report=SALE, label=_("Turnover attributed"), unit=Unit.MONEY, grows_better=True)
def turnover(scope: Scope) -> Measure:
    """The sum of the purchases attributed to an agent and made in the period, minus later partial
    refunds. Fully refunded purchases do not count.

    Amounts in different currencies are never added up. Each currency has its own sum ("by
    currency"), and there is no overall sum.
    """
    worth = Cast(F("amount") - F("refunded"), FloatField())
    return Measure(SALES, Fold.MONEY, ATTRIBUTED, worth, currency="currency")


@figure(report=SALE, label=_("Refunds"), grows_better=False)
def refunds(scope: Scope) -> Measure:
    """The number of refunds in the period, full or partial, regardless of when the purchase was
    made.

    Each refund counts, even several of one purchase. It is attributed to the agent of the purchase.
    """
    return count(REFUNDS)


@figure(report=SALE, label=_("Turnover refunded"), unit=Unit.MONEY, grows_better=False)
def turnover_refunded(scope: Scope) -> Measure:
    """The sum of the refunds in the period on purchases attributed to an agent.

    It is already subtracted from the turnover of the day of the purchase. Currencies are kept
    separate in the same way.
    """
    theirs = Q(transaction__outcome=AttributionResult.ATTRIBUTED)
    worth = Cast("amount", FloatField())
    return Measure(REFUNDS, Fold.MONEY, theirs, worth, currency="transaction__currency")


@figure(report=SALE, label=_("From answer to purchase"), unit=Unit.SECONDS)
def answer_to_purchase(scope: Scope) -> Measure:
    """The median time from the agent's last message to the purchase attributed to them."""
    return Measure(SALES, Fold.MEDIAN, ATTRIBUTED, Seconds("elapsed"))
