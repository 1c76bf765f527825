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


class User(AbstractUser):
    """An account that can log in. All four roles may converse from the desk (R163)."""

    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.AGENT)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, blank=True, default=""
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Paris")

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    @property
    def oversees(self) -> bool:
        """Whether this user oversees others: managers and administrators (R92, C39)."""
        return self.is_superuser or self.role in {Role.ADMIN, Role.MANAGER}

    @property
    def administers(self) -> bool:
        """Whether this user sets rules and thresholds (R119, C39)."""
        return self.is_superuser or self.role == Role.ADMIN
