"""What only the reports store: transactions, keys of shop systems, subscriptions and exports."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, User, Website
from conversations.models import Conversation, Style, Visitor
from reporting.sales.attribution import AttributionResult
from routing.models import DistributionRule

OUTCOMES = {
    AttributionResult.ATTRIBUTED: _("Attributed"),
    AttributionResult.TOO_LATE: _("The last answer was too long ago"),
    AttributionResult.NO_ANSWER: _("No agent wrote before the purchase"),
    AttributionResult.UNKNOWN_VISITOR: _("Unknown customer"),
}


class Origin(models.TextChoices):
    """The entry point by which a transaction came."""

    SCRIPT = "script", _("Script on the page")
    API = "api", _("API")
    IMPORT = "import", _("Import")


class Transaction(models.Model):
    """A purchase, once for each website and id of the brand's own (B20).

    ``outcome``, ``agent``, ``group``, ``conversation``, ``message_seq`` and ``elapsed`` are its
    attribution, decided when it was recorded with the ``delay`` of that time: which message, on
    whose desk for which group, how long before, and why or why not. ``rule``, ``style`` and
    ``language`` are copied from the conversation for the figures and remain when it is erased.
    ``refunded`` is the sum of its refunds; a fully refunded purchase counts in no figure from
    ``refunded_at`` on.
    """

    website = models.ForeignKey(
        Website, on_delete=models.PROTECT, related_name="transactions", verbose_name=_("website")
    )
    external_id = models.CharField(_("brand's number"), max_length=100)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    refunded = models.DecimalField(_("refunded"), max_digits=12, decimal_places=2, default=0)
    currency = models.CharField(_("currency"), max_length=3)
    made_at = models.DateTimeField(_("created at"))
    origin = models.CharField(_("origin"), max_length=6, choices=Origin.choices)
    visitor = models.ForeignKey(
        Visitor, on_delete=models.SET_NULL, null=True, related_name="transactions"
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    refunded_at = models.DateTimeField(_("refunded at"), null=True)

    outcome = models.CharField(_("attribution"), max_length=15, choices=list(OUTCOMES.items()))
    agent = models.ForeignKey(
        Agent,
        on_delete=models.PROTECT,
        null=True,
        related_name="transactions",
        verbose_name=_("agent"),
    )
    group = models.ForeignKey(
        Group, on_delete=models.PROTECT, null=True, related_name="transactions"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, related_name="transactions"
    )
    rule = models.ForeignKey(
        DistributionRule, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # NULL, not blank, where there is no conversation: figures count that as "none".
    style = models.CharField(max_length=20, choices=Style.choices, null=True)  # noqa: DJ001
    language = models.CharField(max_length=10, null=True)  # noqa: DJ001
    message_seq = models.PositiveIntegerField(null=True)
    elapsed = models.DurationField(_("time since the answer"), null=True)
    delay = models.DurationField(_("attribution window"))

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


class Claim(models.Model):
    """What a page's script reported for a purchase that an authenticated entry point has reported
    too, before or after it. It is stored beside the purchase and counts in no figure (C59)."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="claims")
    origin = models.CharField(_("reported by"), max_length=6, choices=Origin.choices)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    made_at = models.DateTimeField(_("created at"))
    visitor = models.ForeignKey(Visitor, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("page report")
        verbose_name_plural = _("page reports")
        constraints = [
            # Only the first claim of a page is stored, so repeating it cannot fill the table.
            models.UniqueConstraint(fields=["transaction", "origin"], name="claimed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_origin_display()} · {self.amount} {self.currency}"


class Refund(models.Model):
    """Money refunded, whole or in part, once for each transaction and refund number of the
    brand."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="refunds")
    external_id = models.CharField(_("refund number"), max_length=100)
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
    """The key by which the API recognizes a website's shop system. Shown once, when it is created;
    only its SHA-256 is stored."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="shop_keys", verbose_name=_("website")
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("The system that uses it, such as “Shop” or “ERP”.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

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
    CALLS = "calls", _("Calls")
    DEFLECTION = "deflection", _("Deflection")
    TRANSACTIONS = "transactions", _("Transactions")


class Subscription(models.Model):
    """A report that a user gets by e-mail, limited to what they may see at that moment."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="report_subscriptions")
    report = models.CharField(_("report"), max_length=20, choices=SubscribedReport.choices)
    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, null=True, related_name="report_subscriptions"
    )
    every = models.CharField(_("frequency"), max_length=5, choices=Every.choices)
    next_at = models.DateTimeField(_("next"))

    class Meta:
        verbose_name = _("report by e-mail")
        verbose_name_plural = _("reports by e-mail")
        constraints = [
            models.UniqueConstraint(fields=["user", "report"], name="subscribed_once"),
        ]
        indexes = [
            # reporting.reports.subscriptions: what is due.
            models.Index(fields=["next_at"], name="subscriptions_due"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.report} · {self.every}"


class ExportState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("In progress")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


UNFINISHED = (ExportState.WAITING, ExportState.RUNNING)


class Fault(models.TextChoices):
    """Why there is no file, and what to do about it."""

    NOTHING_TO_SEE = "no_right", _("You no longer oversee what you selected. Choose again.")
    TOO_LONG = (
        "too_long",
        _("The export took too long. Choose fewer days, or one website or group."),
    )
    BROKEN = "broken", _("The export failed three times. Try again, or contact an administrator.")
    ERASED = "erased", _("A visitor in this file was erased, so it was deleted. Request it again.")


class Export(models.Model):
    """A file that a worker writes for a user (B10): what was chosen, the progress, the file's path
    and its expiry.

    ``query`` has the filters as in a URL, as of ``asked_at``. What they cover is decided when the
    file is written, and again when it is downloaded. ``websites``, of others ``groups``, and
    ``only_agent`` are what the file covers. The worker holds the export as long as ``attempts`` has
    the value with which it took it, and extends ``leased_until``; after that moment another worker
    takes it.
    """

    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="exports")
    subject = models.CharField(max_length=40)
    kind = models.CharField(max_length=4)
    query = models.TextField(blank=True)
    about = models.CharField(_("content"), max_length=300)
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    language = models.CharField(max_length=10)
    state = models.CharField(max_length=9, choices=ExportState.choices, default=ExportState.WAITING)
    fault = models.CharField(max_length=8, choices=Fault.choices, blank=True)
    websites = ArrayField(models.BigIntegerField(), default=list)
    groups = ArrayField(models.BigIntegerField(), default=list)
    only_agent = models.BigIntegerField(null=True)
    total = models.PositiveIntegerField(null=True)
    written = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    file = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(_("requested"))
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ("-asked_at", "-pk")
        constraints = [
            # Only one export runs at a time, so that a worker is free for conversations that wait
            # for a desk.
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="one_export_at_work"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at=None)
                | Q(state__in=["done", "failed", "cancelled"], ended_at__isnull=False),
                name="export_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(state="failed") ^ Q(fault=""), name="failed_export_has_fault"
            ),
        ]
        indexes = [
            # reporting.exports.export_queue.take: what is to be written, the oldest first.
            models.Index(
                fields=["asked_at"],
                name="exports_to_write",
                condition=Q(state__in=["waiting", "running"]),
            ),
            # reporting.exports.export_queue.over: exports that have expired.
            models.Index(fields=["ended_at"], name="exports_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}.{self.kind} · {self.about}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def per_cent(self) -> int:
        """The progress. The total was counted at the start and may grow while the file is
        written."""
        return min(99, 100 * self.written // self.total) if self.total else 0
