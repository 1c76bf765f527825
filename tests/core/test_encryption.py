"""Secrets in the database: encrypted, readable for their purpose only, and moved to a new key."""

from __future__ import annotations

import base64
import json
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Change, IdentitySecret, ToolbarApp, Website
from conversations.models import SuggestionSettings
from core import encryption
from core.encryption import Unreadable, decrypt, encrypt
from tests.clock import NOW
from tests.factories import WebsiteFactory

OLD, NEW = "an earlier key, long enough " * 3, "the key in use, long enough " * 3


@pytest.fixture
def website(db: None) -> Website:
    website: Website = WebsiteFactory()
    return website


def keys(settings: Any, first: str, *others: str) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = first, list(others)


def stored(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_a_text_is_readable_for_its_purpose_and_with_the_keys_of_the_installation_only(
    settings: Any,
) -> None:
    keys(settings, OLD)
    ciphertext = encrypt("s3cret é", purpose="provider")
    assert "s3cret" not in ciphertext
    assert encrypt("s3cret é", purpose="provider") != ciphertext
    assert decrypt(ciphertext, purpose="provider") == "s3cret é"
    keys(settings, NEW, "another", OLD)
    assert decrypt(ciphertext, purpose="provider") == "s3cret é"
    for first, purpose in ((NEW, "provider"), (OLD, "identity")):
        keys(settings, first)
        with pytest.raises(Unreadable, match=purpose):
            decrypt(ciphertext, purpose=purpose)


def of_an_earlier_version(text: str, key: str, purpose: str) -> str:
    """Encrypt as versions before AES-256-GCM did."""
    return (
        Fernet(base64.urlsafe_b64encode(encryption._key(key, purpose)))
        .encrypt(text.encode())
        .decode()
    )


def test_what_an_earlier_version_wrote_is_readable(settings: Any) -> None:
    keys(settings, OLD)
    ciphertext = of_an_earlier_version("s3cret é", OLD, "provider")
    keys(settings, NEW, OLD)
    assert decrypt(ciphertext, purpose="provider") == "s3cret é"
    with pytest.raises(Unreadable):
        decrypt(ciphertext, purpose="identity")
    keys(settings, OLD)
    assert not encryption.is_current(ciphertext, purpose="provider")
    assert encryption.is_current(encrypt("s3cret é", purpose="provider"), purpose="provider")


@pytest.mark.django_db
def test_what_an_earlier_version_wrote_is_moved_to_todays_cipher(
    website: Website, settings: Any
) -> None:
    keys(settings, NEW)
    row = SuggestionSettings.objects.create(website=website, provider_secret="x")
    earlier = of_an_earlier_version("s3cret", NEW, "suggestion provider")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_suggestionsettings SET provider_secret = %s", [earlier]
        )
    assert encryption.reencrypt().changed["conversations.suggestionsettings.provider_secret"] == 1
    (ciphertext,) = stored("conversations_suggestionsettings", "provider_secret")
    assert ciphertext.startswith(encryption.GCM)
    row.refresh_from_db()
    assert row.provider_secret.reveal() == "s3cret"
    assert encryption.reencrypt().changed["conversations.suggestionsettings.provider_secret"] == 0


def test_the_cipher_is_aes_256_gcm_with_a_new_nonce_each_time() -> None:
    ciphertexts = [encrypt("s3cret", purpose="x") for _ in range(100)]
    sealed = [base64.urlsafe_b64decode(each.removeprefix(encryption.GCM)) for each in ciphertexts]
    assert {len(each) for each in sealed} == {12 + len("s3cret") + 16}
    assert len({each[:12] for each in sealed}) == 100
    assert len(encryption._key("key", "x")) * 8 == 256


def test_a_changed_ciphertext_is_noticed() -> None:
    sealed = bytearray(
        base64.urlsafe_b64decode(encrypt("s3cret", purpose="x").removeprefix(encryption.GCM))
    )
    for place in range(len(sealed)):
        changed = sealed.copy()
        changed[place] ^= 1
        with pytest.raises(Unreadable):
            decrypt(encryption.GCM + base64.urlsafe_b64encode(changed).decode(), purpose="x")


@pytest.mark.parametrize(
    "text", ["gAAAA", "s3cret", "é" * 100, "\0", "gAAAAA==", "gcm1:", "gcm1:é", "gcm1:AAAA"]
)
def test_a_text_that_is_no_ciphertext_cannot_be_decrypted(text: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(text, purpose="provider")


def test_an_empty_text_stays_empty() -> None:
    assert (encrypt("", purpose="x"), decrypt("", purpose="x")) == ("", "")


def test_a_secret_does_not_show_itself() -> None:
    app = ToolbarApp(secret="s3cret")
    shown = f"{app.secret} {app.secret!r} {[app.secret]} {app.__dict__}"
    assert "s3cret" not in shown
    assert str(app.secret) == "•••"
    assert app.secret.reveal() == "s3cret"
    assert (str(ToolbarApp(secret="").secret), bool(ToolbarApp(secret="").secret)) == ("", False)


@pytest.mark.django_db
def test_only_ciphertexts_reach_the_database_and_its_copies(website: Website) -> None:
    settings_row = SuggestionSettings.objects.create(website=website, provider_secret="s3cret")
    SuggestionSettings.objects.update(provider_secret="another s3cret")
    settings_row.refresh_from_db()
    assert settings_row.provider_secret.reveal() == "another s3cret"
    (ciphertext,) = stored("conversations_suggestionsettings", "provider_secret")
    assert decrypt(ciphertext, purpose="suggestion provider") == "another s3cret"
    dump = serializers.serialize("json", [settings_row])
    assert json.loads(dump)[0]["fields"]["provider_secret"] == encryption.MASK


@pytest.mark.django_db
def test_a_secret_cannot_be_searched() -> None:
    with pytest.raises(FieldError, match="Unsupported lookup"):
        SuggestionSettings.objects.filter(provider_secret="s3cret")
    with pytest.raises(FieldError, match="Unsupported lookup"):
        SuggestionSettings.objects.filter(provider_secret__startswith="s")


@pytest.mark.django_db
def test_saving_something_else_leaves_the_ciphertext(website: Website) -> None:
    settings_row = SuggestionSettings.objects.create(website=website, provider_secret="s3cret")
    before = stored("conversations_suggestionsettings", "provider_secret")
    again = SuggestionSettings.objects.get(pk=settings_row.pk)
    again.is_on = False
    again.save()
    assert stored("conversations_suggestionsettings", "provider_secret") == before
    assert Change.objects.order_by("-pk")[0].after == {"is_on": False}


@pytest.mark.django_db
def test_every_encrypted_column_is_masked_in_the_record() -> None:
    columns = {
        (model._meta.db_table, field.column) for model, field in encryption.encrypted_fields()
    }
    assert len(columns) >= 3
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, encode(tgargs, 'escape')"
            " FROM pg_trigger WHERE tgname = 'record_change'"
        )
        masked = {
            (table, column)
            for table, arguments in cursor.fetchall()
            for column in arguments.split("\\000")[4].split(",")
        }
    assert columns <= masked


@pytest.mark.django_db
class TestRotation:
    """``manage.py reencrypt_secrets``."""

    def call(self, **options: Any) -> str:
        output = StringIO()
        call_command("reencrypt_secrets", stdout=output, stderr=output, **options)
        return output.getvalue()

    def test_all_secrets_move_to_the_key_in_use(self, settings: Any, website: Website) -> None:
        keys(settings, OLD)
        identity = IdentitySecret.objects.create(website=website, created_at=NOW)
        app = ToolbarApp.objects.create(website=website, name="Orders", url="https://o.example/")
        SuggestionSettings.objects.create(website=website, provider_secret="s3cret")
        texts = [identity.secret.reveal(), app.secret.reveal(), "s3cret"]

        keys(settings, NEW, OLD)
        with pytest.raises(CommandError, match="still encrypted with an earlier key"):
            self.call(dry_run=True)
        output = self.call()
        assert "conversations.suggestionsettings.provider_secret: 1 encrypted anew" in output
        self.call(dry_run=True)

        keys(settings, NEW)
        for row in (identity, app):
            row.refresh_from_db()
        settings_row = SuggestionSettings.objects.get()
        revealed = [row.secret.reveal() for row in (identity, app)]
        assert [*revealed, settings_row.provider_secret.reveal()] == texts
        recorded = Change.objects.filter(model="conversations.suggestionsettings").latest("pk")
        assert recorded.after == {"provider_secret": "•••"}

    def test_a_second_run_changes_nothing(self, settings: Any, website: Website) -> None:
        keys(settings, OLD)
        SuggestionSettings.objects.create(website=website, provider_secret="s3cret")
        keys(settings, NEW, OLD)
        self.call()
        before = stored("conversations_suggestionsettings", "provider_secret")
        assert "provider_secret: 0 encrypted anew" in self.call()
        assert stored("conversations_suggestionsettings", "provider_secret") == before

    def test_rows_that_no_key_decrypts_are_named_and_left(
        self, settings: Any, website: Website
    ) -> None:
        keys(settings, "a lost key " * 6)
        lost = SuggestionSettings.objects.create(website=website, provider_secret="s3cret")
        keys(settings, NEW, OLD)
        before = stored("conversations_suggestionsettings", "provider_secret")
        output = StringIO()
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("reencrypt_secrets", stdout=output, stderr=output)
        assert f"provider_secret: no key decrypts row {lost.pk}." in output.getvalue()
        assert stored("conversations_suggestionsettings", "provider_secret") == before
