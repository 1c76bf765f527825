"""The outbox: what must be done because of a fact, written in the fact's own transaction."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutboxEntry(models.Model):
    """One reaction that is owed. Ends as done or dead; a lease says who is at it now."""

    reaction = models.CharField(max_length=100)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        db_table = "conversations_outboxentry"  # where it began; a rename would lock a busy table
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox entries")
        indexes = [
            # outbox.deliver_due: what is owed and due.
            models.Index(
                fields=["due_at"], condition=Q(done_at=None, dead_at=None), name="outbox_owed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reaction} {self.pk}"
