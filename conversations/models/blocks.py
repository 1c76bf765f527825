"""Blocks: visitors who may not write to a website, why, and until when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.models.conversations import Conversation
from conversations.models.visitors import Person, Visitor


class Block(models.Model):
    """A block of a visitor, of the person behind them, if known, and of the internet address, if
    the website blocks addresses (R58). It only ever changes by being lifted."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="blocks", verbose_name=_("website")
    )
    visitor = models.ForeignKey(
        Visitor, on_delete=models.CASCADE, related_name="blocks", verbose_name=_("visitor")
    )
    person = models.ForeignKey(
        Person,
        on_delete=models.SET_NULL,
        null=True,
        related_name="blocks",
        verbose_name=_("person"),
    )
    address_hash = models.CharField(max_length=64, blank=True, editable=False)
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.SET_NULL,
        null=True,
        related_name="blocks",
        verbose_name=_("conversation"),
    )
    reason = models.CharField(_("reason"), max_length=300)
    blocked_at = models.DateTimeField(_("blocked at"))
    until = models.DateTimeField(
        _("until"), null=True, help_text=_("Leave empty to block until lifted.")
    )
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("blocked by"),
    )
    lifted_at = models.DateTimeField(_("lifted at"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("lifted by"),
    )

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        ordering = ("-blocked_at", "-pk")
        constraints = [
            models.CheckConstraint(
                name="block_ends_after_start",
                condition=Q(until__isnull=True) | Q(until__gt=models.F("blocked_at")),
            ),
        ]
        indexes = [
            # conversations.visitors.blocks: blocked addresses. Visitor and person have indexes.
            models.Index(
                fields=["address_hash"],
                condition=Q(lifted_at=None) & ~Q(address_hash=""),
                name="blocked_addresses",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.visitor} · {self.reason}"

    @property
    def by_whom(self) -> str:
        """The name of the user who blocked, or a dash if the account was deleted."""
        user = self.blocked_by
        return (user.get_full_name() or user.username) if user else "–"
