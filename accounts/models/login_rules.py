"""What each role's logins must have."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.users import Role


class LoginRule(models.Model):
    """The rule for the logins of one role. There is one row for each role.

    An administrator by ``is_superuser`` falls under the rule of administrators, whatever the role.
    """

    role = models.CharField(
        _("role"), max_length=10, choices=Role.choices, unique=True, editable=False
    )
    needs_second_factor = models.BooleanField(
        _("two-step login is required"),
        default=False,
        help_text=_(
            "Users with this role who have neither an authenticator app nor a passkey must set "
            "one up before they can do anything else."
        ),
    )

    needs_single_sign_on = models.BooleanField(
        _("single sign-on is required"),
        default=False,
        help_text=_(
            "Users with this role can log in only through a single sign-on provider, not with a "
            "password or a passkey. Applies to new logins."
        ),
    )
    idle_minutes = models.PositiveIntegerField(
        _("minutes without activity until the logout"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(20160)],
        help_text=_(
            "Leave empty for no limit. Only what the user does counts as activity, not a page "
            "that updates itself. Applies to new logins."
        ),
    )
    longest_hours = models.PositiveIntegerField(
        _("hours from the login to the logout"),
        default=336,
        validators=[MinValueValidator(1), MaxValueValidator(8760)],
        help_text=_("336 hours is two weeks. Applies to new logins."),
    )

    class Meta:
        verbose_name = _("login rule")
        verbose_name_plural = _("login rules")
        ordering = ("role",)

    def __str__(self) -> str:
        return str(self.get_role_display())
