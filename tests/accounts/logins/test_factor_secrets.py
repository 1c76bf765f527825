"""Secrets of apps and recovery codes: encrypted in the table, readable after a change of key."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.logins import second_factors
from accounts.models import User
from core import encryption
from tests.accounts.logins.authenticators import code_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
OLD, NEW = "an earlier key " * 4, "the key in use " * 4


@pytest.fixture
def alice() -> User:
    user: User = UserFactory()
    return user


def keys(settings: Any, *used: str) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = used[0], list(used[1:])


def call(**options: Any) -> str:
    output = StringIO()
    call_command("reencrypt_secrets", stdout=output, stderr=output, **options)
    return output.getvalue()


def rows() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        return str(cursor.fetchone()[0])


def test_the_table_has_no_readable_secret(alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    codes = RecoveryCodes.activate(alice).get_unused_codes()
    stored = rows()
    assert secret not in stored
    assert not any(code in stored for code in codes)
    for row in Authenticator.objects.all():
        assert str(row.data.get("secret") or row.data["seed"]).startswith(encryption.GCM)
    assert second_factors.find_by_code(alice, code_of(secret), at=timezone.now()) is not None
    assert second_factors.find_by_code(alice, codes[0], at=timezone.now()) is not None


def test_codes_go_on_after_a_change_of_the_key(alice: User, settings: Any) -> None:
    keys(settings, OLD)
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    codes = RecoveryCodes.activate(alice).get_unused_codes()
    keys(settings, NEW, OLD)
    before = rows()
    with pytest.raises(CommandError, match="earlier key"):
        call(dry_run=True)
    assert rows() == before
    assert "mfa.authenticator.data: 2 encrypted anew" in call()
    assert "mfa.authenticator.data: 0 encrypted anew" in call()
    keys(settings, NEW)  # the earlier one is thrown away
    assert second_factors.find_by_code(alice, code_of(secret), at=timezone.now()) is not None
    assert second_factors.find_by_code(alice, codes[0], at=timezone.now()) is not None


def test_secrets_that_no_key_decrypts_are_named(alice: User, settings: Any) -> None:
    keys(settings, OLD)
    row = TOTP.activate(alice, generate_totp_secret()).instance
    keys(settings, NEW)
    output = StringIO()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("reencrypt_secrets", stdout=output, stderr=output)
    assert f"mfa.authenticator.data: no key decrypts row {row.pk}." in output.getvalue()
