"""Second factors: who must have one, whether a code is right, and how one is taken away.

The library stores them (``allauth.mfa``). A passkey is proof of two factors by itself: the device,
and the finger or PIN that unlocks it.
"""

from __future__ import annotations

from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from accounts.models import LoginRule, User

PERIOD_SECONDS = 30
DRIFT = 1
"""How many periods a device's clock may be ahead or behind."""

LACKS = """(
    EXISTS (
        SELECT FROM accounts_loginrule rule WHERE rule.needs_second_factor
        AND rule.role = CASE WHEN u.is_superuser THEN 'admin' ELSE u.role END
    ) AND NOT EXISTS (
        SELECT FROM mfa_authenticator factor
        WHERE factor.user_id = u.id AND factor.type IN ('totp', 'webauthn')
    )
)"""
"""The SQL equivalent of ``must_set_up`` for the account ``u``."""

REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def must_set_up(user: User | AnonymousUser) -> bool:
    """Return whether the user's role needs a second factor and they have none."""
    if not isinstance(user, User):
        return False
    rule = LoginRule.objects.filter(role=user.ruling_role, needs_second_factor=True)
    return rule.exists() and not has_one(user)


def has_one(user: User) -> bool:
    """Return whether the user has an authenticator app or a passkey. Recovery codes alone are
    none."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=REAL).exists())


@transaction.atomic
def find_by_code(user: User, code: str, *, at: datetime) -> Authenticator | None:
    """Return the authenticator that this code belongs to, and use the code up.

    The library remembers used codes in the cache. Here the rows do, under a lock: a code is used
    once even if it is sent twice at the same time, and while Valkey is away.
    """
    # In falling order, "totp" comes before "recovery_codes", of which there are few.
    rows = Authenticator.objects.select_for_update().filter(user_id=user.pk).order_by("-type")
    for row in rows.exclude(type=Authenticator.Type.WEBAUTHN):
        row.user = user
        is_app = row.type == Authenticator.Type.TOTP
        if _use_up(row, code, at) if is_app else row.wrap().validate_code(code):
            return row
    return None


def _use_up(row: Authenticator, code: str, at: datetime) -> bool:
    now = int(at.timestamp()) // PERIOD_SECONDS
    secret = decrypt(row.data["secret"])
    for period in range(now - DRIFT, now + DRIFT + 1):
        expected = format_hotp_value(hotp_value(secret, period))
        is_new = period > row.data.get("used_period", -1)
        if compare_user_code(actual=code, expected=expected) and is_new:
            row.data["used_period"] = period
            row.save(update_fields=["data"])
            return True
    return False


def remove_all(user: User) -> int:
    """Take every second factor of a user away, as when they have lost their device; return how
    many there were. They log in with their password, and set up a new one if their role needs it.
    """
    return int(Authenticator.objects.filter(user_id=user.pk).delete()[0])
