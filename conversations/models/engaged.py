"""With what the visitor of a conversation was engaged, on the rows that figures of years count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversations import Style

if TYPE_CHECKING:
    from routing.models import DistributionRule


class Engaged(models.Model):
    """What the conversation's row says as well: ``lifecycle.denormalized`` writes it, once."""

    rule: models.ForeignKey[DistributionRule | None] = models.ForeignKey(
        "routing.DistributionRule",
        on_delete=models.DO_NOTHING,  # the conversation's own: its row refuses, and vouches for it
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
