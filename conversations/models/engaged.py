"""Rule, style and language of a conversation, denormalized for figures over years."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.choices import Style


class Engaged(models.Model):
    """Columns copied once from the conversation by ``conversations.lifecycle.denormalized``."""

    rule = models.ForeignKey(
        "routing.DistributionRule",
        on_delete=models.DO_NOTHING,  # The conversation's foreign key protects it.
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("distribution rule"),
    )
    style = models.CharField(_("style"), max_length=20, choices=Style.choices)
    language = models.CharField(_("language"), max_length=10)

    class Meta:
        abstract = True
