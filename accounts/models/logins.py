"""The record of logins, and which of them are open sessions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Login(models.Model):
    """One login that succeeded, or that failed for an account that exists.

    ``session_key`` is the session that it opened. Whether that is still open is known by Django's
    table of sessions alone.
    """

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", _("succeeded")
        WRONG_PASSWORD = "wrong_password", _("wrong password")
        WRONG_CODE = "wrong_code", _("wrong code")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="logins",
        verbose_name=_("user"),
    )
    at = models.DateTimeField(_("moment"))
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices)
    method = models.CharField(_("proof"), max_length=60, blank=True)
    device = models.CharField(_("device"), max_length=60, blank=True)
    address = models.GenericIPAddressField(_("internet address"), null=True)
    provider = models.ForeignKey(
        "accounts.IdentityProvider",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("single sign-on provider"),
    )
    provider_session = models.CharField(max_length=255, blank=True)
    session_key = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        ordering = ("-at", "-pk")
        indexes = (
            # The sessions and the history of one user.
            models.Index(fields=["user", "-at"], name="logins_of_user"),
            # All before a moment, to delete them.
            models.Index(fields=["at"], name="logins_by_age"),
            # The sessions that a provider says have ended; whose provider is deleted.
            models.Index(
                fields=["provider"],
                condition=models.Q(provider__isnull=False),
                name="logins_by_provider",
            ),
            # The login of a session whose key changes.
            models.Index(fields=["session_key"], name="login_of_session"),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.at:%Y-%m-%d %H:%M}"
