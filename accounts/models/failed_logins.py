"""Wrong passwords of the last minutes."""

from __future__ import annotations

from django.db import models


class FailedLogin(models.Model):
    """One attempt to log in that did not succeed, or not yet.

    ``subject`` is a keyed hash of who tried what: of an account from one address or from one known
    browser, or of an address.
    """

    subject = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        # Of one subject, those since a moment; and all before a moment, to delete them.
        indexes = (
            models.Index(fields=["subject", "at"], name="failed_logins_of_subject"),
            models.Index(fields=["at"], name="failed_logins_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.subject[:8]} {self.at:%Y-%m-%d %H:%M}"
