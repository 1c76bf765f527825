"""Third-party applications embedded in the desk's toolbar."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.agents import Group
from accounts.models.identity import new_secret
from accounts.models.websites import Website
from core import web_addresses
from core.encryption import EncryptedTextField

LOCAL = {"localhost", "127.0.0.1"}


def check_address(url: str) -> None:
    """Validate an application's address: HTTPS, or HTTP on localhost for its developers, and
    nothing that could be read as another address."""
    address = web_addresses.parse(url)
    is_local = address is not None and address.host.partition(":")[0] in LOCAL
    if not url.startswith("https://") and not (url.startswith("http://") and is_local):
        raise ValidationError(_("The address of an application must start with https://."))
    # Both characters have a meaning in a Content-Security-Policy, which lists the address.
    if address is None or ";" in url or "'" in url:
        raise ValidationError(_("This address cannot be embedded."))


class ToolbarApp(models.Model):
    """A third-party page shown in the toolbar beside a conversation (R195; docs/apps.md).

    The context it receives is signed with a secret of its own, which is stored encrypted.
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
    position = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("The lowest number is shown first.")
    )
    is_enabled = models.BooleanField(
        _("shown"), default=True, help_text=_("Deselect this to hide it from all agents.")
    )
    secret = EncryptedTextField(purpose="toolbar app", default=new_secret, editable=False)

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
