"""Canned replies: texts that are written once and used often, and their files."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Agent, Group, Website


class CannedReply(models.Model):
    """A text for one agent, for a group or for a whole website (R57, R184).

    ``body`` may contain variables (``conversations.canned.variables``). It is never a template.
    """

    agent = models.ForeignKey(
        Agent,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("agent"),
        related_name="canned_replies",
    )
    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("group"),
        related_name="canned_replies",
    )
    website = models.ForeignKey(
        Website,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("website"),
        related_name="canned_replies",
    )
    name = models.CharField(_("title"), max_length=80)
    shortcut = models.CharField(_("shortcut"), max_length=30, blank=True)
    folder = models.CharField(_("folder"), max_length=60, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    body = models.TextField(_("text"))
    words = models.TextField(
        editable=False, help_text="All that it is found by, without accents and capitals."
    )
    uses = models.PositiveIntegerField(default=0, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ("folder", "name")
        constraints = [
            models.CheckConstraint(
                name="canned_reply_has_one_owner",
                condition=Q(agent__isnull=False, group__isnull=True, website__isnull=True)
                | Q(agent__isnull=True, group__isnull=False, website__isnull=True)
                | Q(agent__isnull=True, group__isnull=True, website__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["agent", "group", "website", "language", "shortcut"],
                condition=~Q(shortcut=""),
                nulls_distinct=False,
                name="shortcut_once",
                violation_error_message=_("Another reply already uses this shortcut."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CannedFile(models.Model):
    """A file of a canned reply. Each use creates an attachment from it."""

    reply = models.ForeignKey(CannedReply, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size (bytes)"))
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    file = models.CharField(max_length=200)
    thumbnail = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("file of a canned reply")
        verbose_name_plural = _("files of canned replies")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name
