"""The record of changes to settings, written by database triggers, never by code."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Change(models.Model):
    """A settings row that was added, changed or removed.

    Triggers (``accounts.audit.recorded``) write it in the transaction of the change, whatever the
    entry point, and refuse to change or delete it. ``actor_id`` is no foreign key, so that the
    author stays known when the account is deleted. ``before`` and ``after`` hold only the changed
    columns, or the whole row if it was added or removed. Secrets are masked.
    """

    class Kind(models.TextChoices):
        ADDED = "INSERT", _("added")
        CHANGED = "UPDATE", _("changed")
        REMOVED = "DELETE", _("removed")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("moment"))
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("person"), max_length=150, blank=True)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    model = models.CharField(_("setting"), max_length=80)
    object_id = models.BigIntegerField()
    name = models.TextField(_("name"))
    # The owner of the row: the rule of a queue, the group of a member.
    owner_model = models.CharField(max_length=80, blank=True)
    owner_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name = _("change of a setting")
        verbose_name_plural = _("changes of settings")
        ordering = ("-id",)
        indexes = [
            # The list and date_hierarchy in the administration.
            models.Index(fields=["at"], name="change_at"),
            # The history of one object and of its parts.
            models.Index(fields=["model", "object_id"], name="change_of_object"),
            models.Index(fields=["owner_model", "owner_id"], name="change_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.object_id}"
