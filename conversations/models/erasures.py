"""The proof of erasures, without the identity of the erased person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Website


class Erasure(models.Model):
    """A record that a person or visitor was erased (B13). Append-only. ``subject`` is a keyed hash:
    the row can be found by the external id or the visitor's id, which it does not reveal."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="erasures", verbose_name=_("website")
    )
    subject = models.CharField(_("subject (hash)"), max_length=64)
    erased_at = models.DateTimeField(_("moment"))
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("person"),
        help_text=_("Empty if a command or the end of the retention period caused it."),
    )
    rows = models.JSONField(_("rows"), default=dict)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.website} · {self.erased_at:%Y-%m-%d %H:%M}"
