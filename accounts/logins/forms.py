"""Forms of the account's own pages and of a forgotten password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import failed_logins
from accounts.failed_logins import Proof
from accounts.models import User
from core.rejection import TooMany


class FirstAdministratorForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """The account with which a new installation begins."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")


class ForgottenForm(forms.Form):
    """The account that somebody cannot log in to."""

    login = forms.CharField(max_length=254)


class EmailForm(forms.Form):
    """The form for a user's new e-mail address."""

    email = forms.EmailField(max_length=254)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if email == self._user.email:
            raise ValidationError(_("This is already your address."), code="same")
        return email


class PasswordAgainForm(forms.Form):
    """One's password, asked again. Wrong ones count like those of the login."""

    password = forms.CharField(strip=False, max_length=4096)
    retry_after: int | None = None

    def __init__(self, *args: Any, user: User, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user, self._request = user, request

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        try:
            attempt = begin_attempt(self._request, self._user.username)
        except TooMany as too_many:
            self.retry_after = too_many.retry_after
            raise ValidationError(too_many.text, code=too_many.code) from None
        if not self._user.check_password(password):
            raise ValidationError(_("This is not your password."), code="wrong")
        attempt.succeed()
        return password


def begin_attempt(
    request: Any, username: str, *, proof: Proof = Proof.PASSWORD
) -> failed_logins.Attempt:
    """Count an attempt of this browser to prove that it is this user's; raise ``TooMany``."""
    return failed_logins.begin(
        username,
        address=request.META.get("REMOTE_ADDR", ""),
        browser=request.COOKIES.get(settings.BROWSER_COOKIE_NAME, ""),
        at=timezone.now(),
        proof=proof,
    )
