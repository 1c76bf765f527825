"""E-mail addresses of visitors."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from conversations.models.visitors import Visitor
from core.text.search_expressions import Words


class Address(models.Model):
    """The e-mail address that a visitor left (R6, R7).

    ``refused_at`` is when a mail server permanently refused it. The visitor is asked to correct it.
    """

    visitor = models.OneToOneField(Visitor, on_delete=models.CASCADE, related_name="address")
    email = models.EmailField(_("e-mail address"), max_length=254)
    wants_mail = models.BooleanField(
        _("wants e-mail notifications"), default=True, help_text=_("Chosen by the visitor.")
    )
    given_at = models.DateTimeField(_("given at"))
    refused_at = models.DateTimeField(_("declined at"), null=True)

    class Meta:
        verbose_name = _("e-mail address")
        verbose_name_plural = _("e-mail addresses")
        indexes = [
            # desk.search: visitors by the parts of their address.
            GinIndex(Words(F("email")), name="addresses_by_words"),
        ]

    def __str__(self) -> str:
        return self.email
