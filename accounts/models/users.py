"""Users and their roles."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ADMIN = "admin", _("Administrator")
    MANAGER = "manager", _("Manager")
    AGENT = "agent", _("Agent")
    EXPERT = "expert", _("Expert")
    AUDITOR = "auditor", _("Auditor")
    REVIEWER = "reviewer", _("Quality reviewer")


READ_ONLY_ROLES = frozenset({Role.AUDITOR, Role.REVIEWER})
"""Roles that read what others do, and change nothing: neither conversations nor settings."""


class User(AbstractUser):
    """An account that can log in. All roles may converse from the desk (R163), except those that
    only read."""

    role = models.CharField(
        _("role"),
        max_length=10,
        choices=Role.choices,
        default=Role.AGENT,
        help_text=_(
            "Administrators see and change everything. Managers oversee their groups. "
            "Agents and experts converse; experts are paid per conversation. "
            "Auditors see what administrators see, and quality reviewers what managers see; "
            "both change nothing."
        ),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        blank=True,
        default="",
        help_text=_("Leave empty to use the language of the browser."),
    )
    timezone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Europe/Paris",
        help_text=_("Used for the times that this user sees."),
    )
    external_id = models.CharField(
        max_length=255,
        blank=True,
        default="",
        editable=False,
        help_text="What the directory that provisions the account calls it (SCIM).",
    )
    is_service = models.BooleanField(
        default=False, editable=False, help_text="The account of a program; nobody logs in with it."
    )

    confined_to: frozenset[int] | None = None
    """The websites to which the token of the present request confines this user; no column."""

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            # Django's mark of an unusable password.
            models.CheckConstraint(
                condition=models.Q(is_service=False) | models.Q(password__startswith="!"),
                name="service_account_has_no_password",
            ),
        ]

    @property
    def oversees(self) -> bool:
        """Whether this user sees the work of others: all but agents and experts (R92, C39)."""
        return self.is_superuser or self.role not in {Role.AGENT, Role.EXPERT}

    @property
    def reads_only(self) -> bool:
        """Whether this user may change nothing but their own account."""
        return self.role in READ_ONLY_ROLES and not self.is_superuser

    @property
    def converses(self) -> bool:
        """Whether this user, if they are an agent, may have conversations at all."""
        return self.is_active and not self.reads_only

    @property
    def steers(self) -> bool:
        """Whether this user may act on what they oversee: managers and administrators."""
        return self.oversees and not self.reads_only

    @property
    def ruling_role(self) -> str:
        """The role whose login rule holds for this user."""
        return Role.ADMIN if self.is_superuser else self.role

    @property
    def administers(self) -> bool:
        """Whether this user sets rules and thresholds (R119, C39)."""
        return self.is_superuser or self.role == Role.ADMIN

    @property
    def sees_everything(self) -> bool:
        """Whether this user oversees all websites: administrators and auditors."""
        return self.administers or self.role == Role.AUDITOR
