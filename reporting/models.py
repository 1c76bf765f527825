"""What only the reports keep: purchases that a brand's site or shop system told us of."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, Website
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
    and why or why not. A refund takes it out of all figures.
    """

    website = models.ForeignKey(
        Website, on_delete=models.PROTECT, related_name="transactions", verbose_name=_("website")
    )
    external_id = models.CharField(_("the brand's number"), max_length=100)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
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
        ]
        indexes = [
            # reporting.figures: a website's transactions of a period.
            models.Index(fields=["website", "made_at"], name="transactions_by_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} · {self.amount} {self.currency}"
