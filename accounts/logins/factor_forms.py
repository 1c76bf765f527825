"""The library's forms of second factors, with our count of attempts and our sentences."""

from __future__ import annotations

import logging
from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.failed_logins import Proof
from accounts.logins import notices, second_factors, sessions
from accounts.logins.forms import begin_attempt
from accounts.models import Login
from core.rejection import TooMany

logger = logging.getLogger(__name__)


class Counted(forms.Form):
    """A form whose wrong codes are counted. ``retry_after`` is set if there were too many."""

    user: Any
    retry_after: int | None = None

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        try:
            attempt = begin_attempt(context.request, self.user.username, proof=Proof.CODE)
        except TooMany as too_many:
            self.retry_after = too_many.retry_after
            raise ValidationError(too_many.text, code=too_many.code) from None
        self.check_code(code)
        attempt.succeed()
        return code

    def check_code(self, code: str) -> None:
        """Raise ``ValidationError`` unless the code is right."""
        authenticator = second_factors.find_by_code(self.user, code, at=timezone.now())
        if authenticator is None:
            sessions.record_failure(context.request, self.user, Login.Outcome.WRONG_CODE)
            raise wrong_code()
        self.authenticator = authenticator


class CodeForm(Counted, AuthenticateForm):
    """The second step of a login: a code of an app, or a recovery code."""

    def save(self) -> None:
        super().save()
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            notices.publish(self.user, notices.Event.CODE_USED, context.request)


class CodeAgainForm(Counted, ReauthenticateForm):
    """A code, asked again before something important."""


class ActivateAppForm(Counted, ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def check_code(self, code: str) -> None:
        from allauth.mfa.totp.internal.auth import validate_totp_code

        if not validate_totp_code(self.secret, code):
            raise wrong_code()


class Guarded(forms.Form):
    """A form with a passkey's answer. The library expects that a browser made it; whatever else
    somebody sends is a wrong answer, too."""

    def clean_credential(self) -> Any:
        if not isinstance(self.cleaned_data["credential"], dict):
            raise wrong_passkey()
        before: Any = getattr(super(), "clean_credential", None)
        if before is None:
            return self.cleaned_data["credential"]
        return _guarded(before)


class PasskeyForm(Guarded, AuthenticateWebAuthnForm):
    """The second step of a login, by a passkey."""


class PasskeyAgainForm(Guarded, ReauthenticateWebAuthnForm):
    """A passkey, asked again before something important."""


class PasskeyLoginForm(Guarded, LoginWebAuthnForm):
    """A login by a passkey alone."""


class AddPasskeyForm(Guarded, AddWebAuthnForm):
    """A new passkey. Each one can log in by itself, so the device must have verified the person."""

    name = forms.CharField(required=False, max_length=60)

    def clean(self) -> Any:
        self.cleaned_data["passwordless"] = True
        return _guarded(super().clean)


def wrong_code() -> ValidationError:
    return ValidationError(
        _("This code is wrong or has been used. Wait for the next one."), code="wrong"
    )


def wrong_passkey() -> ValidationError:
    return ValidationError(_("This passkey does not match. Please try again."), code="wrong")


def _guarded(check: Any) -> Any:
    try:
        return check()
    except Exception as error:
        logger.info("passkey refused: %s: %s", type(error).__name__, error)
        raise wrong_passkey() from None
