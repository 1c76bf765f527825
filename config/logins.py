"""Django's settings of passwords and logins (docs/adr/0037)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.environment import refuse, text

VALIDATORS = (
    "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
    "django.contrib.auth.password_validation.MinimumLengthValidator",
    "django.contrib.auth.password_validation.CommonPasswordValidator",
    "django.contrib.auth.password_validation.NumericPasswordValidator",
    "accounts.logins.breached_passwords.BreachedPasswordValidator",
    "accounts.logins.context_words.ContextWordValidator",
)
PROOF_SECONDS = 600
"""For how long a proof of who one is counts for something important."""

FORMS = {
    "authenticate": "CodeForm",
    "reauthenticate": "CodeAgainForm",
    "authenticate_webauthn": "PasskeyForm",
    "reauthenticate_webauthn": "PasskeyAgainForm",
    "login_webauthn": "PasskeyLoginForm",
    "add_webauthn": "AddPasskeyForm",
    "activate_totp": "ActivateAppForm",
}


def settings(*, https: bool) -> dict[str, Any]:
    """Return the settings. Of django-allauth, what it stores and mails by itself is off."""
    breached = text("BREACHED_PASSWORDS")
    if breached and not Path(breached).is_file():
        refuse(f"BREACHED_PASSWORDS is a file of SHA-1 hashes; there is none at {breached!r}")
    return {
        "AUTH_PASSWORD_VALIDATORS": [{"NAME": name} for name in VALIDATORS],
        "BREACHED_PASSWORDS": breached,
        "SESSION_ENGINE": "accounts.logins.session_store",
        "ACCOUNT_ADAPTER": "accounts.logins.adapters.AccountAdapter",
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": PROOF_SECONDS,
        "ACCOUNT_SIGNUP_FIELDS": ["username*"],
        "ACCOUNT_UNIQUE_EMAIL": False,
        # The library's limits are in the cache; those of the login hold without it.
        "ACCOUNT_RATE_LIMITS": False,
        "MFA_RATE_LIMITS": False,
        "MFA_ADAPTER": "accounts.logins.adapters.FactorAdapter",
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,  # administrators create accounts; nobody signs up
        "MFA_FORMS": {name: f"accounts.logins.factor_forms.{form}" for name, form in FORMS.items()},
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_RECOVERY_CODES_SHOW_ONCE": True,
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_TOTP_TOLERANCE": 1,
        # Browsers offer passkeys over HTTPS and on the local machine; the library knows only HTTPS.
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not https,
    }
