"""Providers of single sign-on, whom they let in, and who they know a user as."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.agents import Group
from accounts.models.users import Role
from core.encryption import EncryptedTextField


class IdentityProvider(models.Model):
    """A server where users log in, by OpenID Connect."""

    name = models.CharField(
        _("name"), max_length=60, help_text=_("Shown on the button of the login page.")
    )
    key = models.SlugField(
        _("key"),
        max_length=40,
        unique=True,
        help_text=_("A part of the addresses that you enter at the provider."),
    )
    issuer = models.CharField(
        _("issuer"),
        max_length=500,
        validators=[URLValidator(["http", "https"])],
        help_text=_("Exactly as the provider names itself, such as https://login.example.com."),
    )
    client_id = models.CharField(_("client ID"), max_length=255)
    client_secret = EncryptedTextField(
        _("client secret"),
        blank=True,
        default="",
        purpose="accounts.identityprovider.client_secret",
    )
    is_enabled = models.BooleanField(
        _("in use"), default=True, help_text=_("The login page shows its button.")
    )
    creates_accounts = models.BooleanField(
        _("creates accounts"),
        default=False,
        help_text=_(
            "People admitted by a rule below get an account at their first login, with the role "
            "and groups that the rules give. Each login updates their role and groups."
        ),
    )
    groups_claim = models.CharField(
        _("claim with the groups"),
        max_length=100,
        default="groups",
        help_text=_("The part of the ID token that lists a person's groups or roles."),
    )

    class Meta:
        verbose_name = _("single sign-on provider")
        verbose_name_plural = _("single sign-on providers")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class AdmissionRule(models.Model):
    """Whom a provider's word admits, as what. The first rule that matches gives the role; all that
    match give groups."""

    class Basis(models.TextChoices):
        DOMAIN = "domain", _("domain of the confirmed e-mail address")
        CLAIM = "claim", _("group or role at the provider")

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(
        _("position"), default=1, help_text=_("The first rule that matches gives the role.")
    )
    basis = models.CharField(
        _("basis"),
        max_length=10,
        choices=Basis.choices,
        default=Basis.CLAIM,
        help_text=_("What the value is compared with."),
    )
    value = models.CharField(
        _("value"), max_length=255, help_text=_("For example: example.com or support-team.")
    )
    role = models.CharField(
        _("role"),
        max_length=10,
        choices=Role.choices,
        default=Role.AGENT,
        help_text=_("What accounts admitted by this rule can do."),
    )
    groups = models.ManyToManyField(
        Group,
        related_name="+",
        blank=True,
        verbose_name=_("groups"),
        help_text=_("The groups that accounts get if this rule matches."),
    )

    class Meta:
        verbose_name = _("admission rule")
        verbose_name_plural = _("admission rules")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return f"{self.value} · {self.get_role_display()}"


class ExternalIdentity(models.Model):
    """The identity by which a provider knows a user. Unlike an e-mail address, ``subject`` never
    changes.

    ``is_managed``: the account was made for this identity, so its role and groups follow the
    provider.
    """

    provider = models.ForeignKey(
        IdentityProvider, on_delete=models.CASCADE, related_name="identities"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    subject = models.CharField(max_length=255)
    is_managed = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("external identity")
        verbose_name_plural = _("external identities")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="external_subject_once"),
            models.UniqueConstraint(fields=["provider", "user"], name="external_user_once"),
            models.CheckConstraint(condition=~Q(subject=""), name="external_subject_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} · {self.user}"
