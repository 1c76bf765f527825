"""The name and address in which a website writes to its visitors."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Website


class Sender(models.Model):
    """A website's own settings for its e-mail; without a row, the installation's apply (R17)."""

    website = models.OneToOneField(
        Website, on_delete=models.CASCADE, related_name="sender", verbose_name=_("website")
    )
    is_on = models.BooleanField(
        _("send e-mails to visitors"),
        default=True,
        help_text=_("If off, visitors are not asked for an address and no e-mail is sent."),
    )
    name = models.CharField(
        _("sender name"),
        max_length=100,
        blank=True,
        help_text=_("The name shown before the address. Leave empty to use the website's name."),
    )
    email = models.EmailField(
        _("sender address"),
        blank=True,
        help_text=_(
            "Your mail server must be allowed to send from this address (SPF, DKIM). "
            "Leave empty to use the installation's address."
        ),
    )

    class Meta:
        verbose_name = _("e-mail sender")
        verbose_name_plural = _("e-mail senders")

    def __str__(self) -> str:
        return f"{self.name or self.website.name} <{self.email}>" if self.email else str(self.name)
