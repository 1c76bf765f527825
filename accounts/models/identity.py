"""The secrets with which a brand's server signs the identity of its customers."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.websites import Website
from core.encryption import EncryptedTextField


def new_secret() -> str:
    """Return a secret of 64 characters (256 bits)."""
    return secrets.token_hex(32)


class IdentitySecret(models.Model):
    """A website's secret for signed external ids (C14). Shown once; replaced, never changed.

    It is stored encrypted, so that a copy of the database is not enough to sign.
    """

    website = models.ForeignKey(
        Website,
        on_delete=models.CASCADE,
        related_name="identity_secrets",
        verbose_name=_("website"),
    )
    secret = EncryptedTextField(purpose="identity", default=new_secret, editable=False)
    created_at = models.DateTimeField(_("created at"))
    ends_at = models.DateTimeField(_("accepted until"), null=True, editable=False)

    class Meta:
        verbose_name = _("identity secret")
        verbose_name_plural = _("identity secrets")
        ordering = ("website", "-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.website} · {self.created_at:%Y-%m-%d %H:%M}"
