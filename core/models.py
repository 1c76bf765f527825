"""The outbox's table: durable reactions, written in the transaction of the fact."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutboxEntry(models.Model):
    """One owed reaction. It ends as done or dead; a lease reserves it while it runs."""

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
        db_table = "conversations_outboxentry"  # A rename would lock a busy table.
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox entries")
        indexes = [
            # core.events.outbox.deliver_due
            models.Index(
                fields=["due_at"], condition=Q(done_at=None, dead_at=None), name="outbox_owed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reaction} {self.pk}"


class StoredAnswer(models.Model):
    """The answer to a request with an idempotency key. ``holder`` is the token or user whose key it
    is; ``fingerprint`` the SHA-256 of the request."""

    holder = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.BinaryField()

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [
            models.UniqueConstraint(fields=["holder", "key"], name="stored_answer_once"),
        ]
        indexes = [
            # core.idempotency.purge
            models.Index(fields=["created_at"], name="stored_answers_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.holder} {self.key}"
