"""What only the reports keep: purchases that a brand's site or shop system told us of."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, User, Website
from conversations.models import Conversation, Visitor
from reporting.attribution import Outcome

OUTCOMES = {
    Outcome.ATTRIBUTED: _("Attributed"),
    Outcome.TOO_LATE: _("The last answer was too long ago"),
    Outcome.NO_ANSWER: _("No agent had written before it"),
    Outcome.UNKNOWN_VISITOR: _("The customer is not known"),
}


class Origin(models.TextChoices):
    """By which door a transaction came."""

    SCRIPT = "script", _("Script on the page")
    API = "api", _("API")
    IMPORT = "import", _("Import")


class Transaction(models.Model):
    """A purchase, once for each website and id of the brand's own (B20).

    ``outcome``, ``agent``, ``conversation``, ``message_seq`` and ``elapsed`` are its attribution,
    decided when it was recorded with the ``delay`` of that time: which message, how long before,
    and why or why not. ``refunded`` is the sum of its refunds; what is given back whole is out of
    all figures, from ``refunded_at`` on.
    """

    website = models.ForeignKey(
        Website, on_delete=models.PROTECT, related_name="transactions", verbose_name=_("website")
    )
    external_id = models.CharField(_("the brand's number"), max_length=100)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    refunded = models.DecimalField(_("refunded"), max_digits=12, decimal_places=2, default=0)
    currency = models.CharField(_("currency"), max_length=3)
    made_at = models.DateTimeField(_("made at"))
    origin = models.CharField(_("origin"), max_length=6, choices=Origin.choices)
    visitor = models.ForeignKey(
        Visitor, on_delete=models.SET_NULL, null=True, related_name="transactions"
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    refunded_at = models.DateTimeField(_("refunded at"), null=True)

    outcome = models.CharField(_("attribution"), max_length=15, choices=list(OUTCOMES.items()))
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, related_name="transactions"
    )
    group = models.ForeignKey(
        Group, on_delete=models.SET_NULL, null=True, related_name="transactions"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, related_name="transactions"
    )
    message_seq = models.PositiveIntegerField(null=True)
    elapsed = models.DurationField(_("after the answer"), null=True)
    delay = models.DurationField(_("delay that held"))

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        ordering = ("-made_at", "-pk")
        constraints = [
            models.UniqueConstraint(fields=["website", "external_id"], name="transaction_once"),
            models.CheckConstraint(
                condition=Q(outcome="attributed", agent__isnull=False)
                | (~Q(outcome="attributed") & Q(agent__isnull=True)),
                name="attributed_has_agent",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="amount_is_positive"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0) & Q(refunded__lte=F("amount")),
                name="refund_within_amount",
            ),
        ]
        indexes = [
            # reporting.figures: a website's transactions of a period.
            models.Index(fields=["website", "made_at"], name="transactions_by_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} · {self.amount} {self.currency}"


class Refund(models.Model):
    """Money given back, whole or in part, once for each transaction and number of the brand's."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="refunds")
    external_id = models.CharField(_("number of the refund"), max_length=100)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    made_at = models.DateTimeField(_("refunded at"))

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ("made_at", "pk")
        constraints = [
            models.UniqueConstraint(fields=["transaction", "external_id"], name="refund_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="refund_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} · {self.amount}"


class ShopKey(models.Model):
    """By which a website's shop system is known to the API of transactions. Shown once, when it
    is made; only its SHA-256 is kept."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="shop_keys", verbose_name=_("website")
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("Which system uses it: “Shop”, “ERP”.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("shop key")
        verbose_name_plural = _("shop keys")
        ordering = ("website", "name")

    def __str__(self) -> str:
        return self.name


class Every(models.TextChoices):
    """How often a report is mailed."""

    DAY = "day", _("Every day")
    WEEK = "week", _("Every Monday")
    MONTH = "month", _("Every month")


class SubscribedReport(models.TextChoices):
    EXPERIENCE = "experience", _("Experience")
    CONVERSATIONS = "conversations", _("Conversations")
    AGENTS = "agents", _("Agents")
    TRANSACTIONS = "transactions", _("Transactions")


class Subscription(models.Model):
    """A report that somebody gets by e-mail: of what he may see at that moment, no more."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="report_subscriptions")
    report = models.CharField(_("report"), max_length=20, choices=SubscribedReport.choices)
    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, null=True, related_name="report_subscriptions"
    )
    every = models.CharField(_("how often"), max_length=5, choices=Every.choices)
    next_at = models.DateTimeField(_("next"))

    class Meta:
        verbose_name = _("report by e-mail")
        verbose_name_plural = _("reports by e-mail")
        constraints = [
            models.UniqueConstraint(fields=["user", "report"], name="subscribed_once"),
        ]
        indexes = [
            # reporting.subscriptions: what is due.
            models.Index(fields=["next_at"], name="subscriptions_due"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.report} · {self.every}"
