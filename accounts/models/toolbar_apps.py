"""Third-party applications embedded in the desk's toolbar."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.agents import Group
from accounts.models.websites import Website


def new_salt() -> str:
    return secrets.token_hex(32)


def check_address(url: str) -> None:
    """Validate an application's address: HTTPS, or HTTP on localhost for its developers, and
    nothing that could be read as another address."""
    parts = urlsplit(url)
    is_local = parts.hostname in {"localhost", "127.0.0.1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValidationError(_("The address of an application must start with https://."))
    if parts.username or parts.password or ";" in url or "'" in url:
        raise ValidationError(_("This address cannot be embedded."))


class ToolbarApp(models.Model):
    """A third-party page shown in the toolbar beside a conversation (R195; docs/apps.md).

    The context it receives is signed with a secret of its own, which is not stored: it is derived
    from the row's salt and the installation's ``SECRET_KEY``.
    """

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="apps", verbose_name=_("website")
    )
    groups = models.ManyToManyField(
        Group,
        blank=True,
        related_name="apps",
        verbose_name=_("groups"),
        help_text=_(
            "The application is shown in conversations of these groups. Leave empty to show "
            "it in all groups of the website."
        ),
    )
    name = models.CharField(_("name"), max_length=40)
    url = models.URLField(
        _("address"),
        max_length=500,
        validators=[check_address],
        help_text=_("A page designed to be embedded, on a different host from this one."),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_enabled = models.BooleanField(_("shown"), default=True)
    salt = models.CharField(max_length=64, default=new_salt, editable=False)

    class Meta:
        verbose_name = _("application in the toolbar")
        verbose_name_plural = _("applications in the toolbar")
        ordering = ("website", "position", "name")
        constraints = [
            models.UniqueConstraint(fields=["website", "name"], name="app_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def origin(self) -> str:
        """The origin of its messages, as browsers write it."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"

    @property
    def secret(self) -> str:
        """The secret that signs its context: 64 characters."""
        return salted_hmac("causerie.toolbar app", self.salt, algorithm="sha256").hexdigest()
