"""The figures of transactions: what was bought, and after whose words."""

from __future__ import annotations

from django.db.models import FloatField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from reporting.attribution import Outcome
from reporting.figures.measures import Fold, Measure, Seconds, count, share
from reporting.figures.registry import Unit, figure
from reporting.figures.scope import Scope
from reporting.figures.sources import SALES

SALE = "transactions"
ATTRIBUTED = Q(outcome=Outcome.ATTRIBUTED)


@figure(report=SALE, label=_("Transactions"))
def transactions(scope: Scope) -> Measure:
    """The purchases made in the period that the brand's site or shop system told us of.

    Each number of the brand counts once. What was refunded does not count, not even in the period
    in which it was bought.
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
    """The share of the purchases of the period that are attributed to an agent."""
    return share(SALES, ATTRIBUTED)


@figure(report=SALE, label=_("Turnover attributed"), unit=Unit.MONEY, grows_better=True)
def turnover(scope: Scope) -> Measure:
    """The sum of the amounts of the purchases attributed to an agent, made in the period.

    Amounts are added as they are: a website that sells in several currencies finds each in the
    rows.
    """
    return Measure(SALES, Fold.SUM, ATTRIBUTED, Cast("amount", FloatField()))


@figure(report=SALE, label=_("From answer to purchase"), unit=Unit.SECONDS)
def answer_to_purchase(scope: Scope) -> Measure:
    """The median time from the agent's last message to the purchase that is attributed to him."""
    return Measure(SALES, Fold.MEDIAN, ATTRIBUTED, Seconds("elapsed"))
