"""Tokens with which programs use the API, and the accounts of programs."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User
from accounts.models.websites import Website


class ServiceAccountManager(UserManager["ServiceAccount"]):
    def get_queryset(self) -> models.QuerySet[ServiceAccount]:
        return super().get_queryset().filter(is_service=True)


class ServiceAccount(User):
    """The account of a program. It has a role and a name, which the ledger shows; no password opens
    it, so nobody can log in with it."""

    objects = ServiceAccountManager()  # type: ignore[misc]

    class Meta:
        proxy = True
        verbose_name = _("service account")
        verbose_name_plural = _("service accounts")

    def __str__(self) -> str:
        return self.first_name or self.username


class ApiToken(models.Model):
    """A key to the API. Its text is shown once; only its SHA-256 is stored.

    A program with it does what its owner may do, within ``scopes`` and the websites. A limited
    token whose websites are deleted opens nothing, so the limit is a column of its own.
    """

    name = models.CharField(
        _("name"), max_length=60, help_text=_("What it is for, such as “CRM synchronisation”.")
    )
    owner = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("owner"),
        help_text=_("The program can do what this account can do, and acts in its name."),
    )
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("permissions"))
    has_every_website = models.BooleanField(default=False, editable=False)
    websites = models.ManyToManyField(
        Website,
        blank=True,
        related_name="+",
        verbose_name=_("websites"),
        help_text=_("Leave empty to include all websites of the owner."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(_("ends with"), max_length=4, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("Leave empty for no expiry.")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-created_at", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=~Q(scopes=[]) & Q(scopes__isnull=False), name="api_token_has_scopes"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_valid_at(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)
