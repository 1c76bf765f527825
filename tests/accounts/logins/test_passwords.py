"""What a password may and may not be, and that it is compared exactly as it was typed."""

from __future__ import annotations

import re

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

import config.settings
from accounts import invitations
from accounts.logins.context_words import fold, is_made_of
from accounts.models import User
from tests.factories import PASSWORD, UserFactory, WebsiteFactory
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db

LONG = "Ünïcode 漢字 \t quite a long sentence, with 'quotes', that nobody guesses; " * 2


def change(user: User, password: str) -> None:
    client = log_in_freshly(Client(), user)
    fields = {"new_password1": password, "new_password2": password}
    assert client.post("/account/password/", fields).status_code == 302


def enters(user: User, password: str) -> bool:
    answer = Client().post("/login/", {"username": user.username, "password": password})
    return answer.status_code == 302


@pytest.mark.parametrize(
    "password", ["zqxjvkwb", "  spaces around  ", "漢字仮名交じり文です", "ẞ!§$%&/()=?`", LONG]
)
def test_any_characters_and_at_least_128_of_them_are_admitted(password: str) -> None:
    user = UserFactory()
    change(user, password)
    assert enters(user, password)
    user.refresh_from_db()
    again = Client()
    again.force_login(user)
    assert again.post("/account/prove/", {"password": password})["Location"] == "/account/"


def test_a_password_is_compared_as_it_was_typed() -> None:
    user = UserFactory()
    change(user, f" {LONG}")
    assert len(LONG) > 128
    others = [LONG, f" {LONG}".strip(), f" {LONG[:-1]}", f" {LONG[:72]}", f" {LONG}".swapcase()]
    assert not any(enters(user, other) for other in others)


@pytest.mark.parametrize("password", ["zqxjvkw", "letmein123", "password", "92837465"])
def test_short_common_and_numeric_passwords_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize(
    "password",
    [
        *("Causerie2026!", "c@us3rie-1234", "Maison-Céleste", "maisonceleste99", "M41s0n C3leste"),
        *("Support.Acme1", "acmesupport"),
    ],
)
def test_names_of_the_installation_are_refused(password: str, settings: Settings) -> None:
    WebsiteFactory(name="Maison Céleste")
    settings.ALLOWED_HOSTS = ["support.acme.example"]
    with pytest.raises(ValidationError, match="easy to guess here"):
        validate_password(password)


def test_a_name_within_a_good_password_is_no_harm(settings: Settings) -> None:
    WebsiteFactory(name="Maison Céleste")
    settings.ALLOWED_HOSTS = ["support.acme.example"]
    for password in ("causerie zqxjvkwb", "zqxj-maison-vkwb", PASSWORD):
        validate_password(password)


def test_words_are_folded_as_the_password_is() -> None:
    assert fold("ÉT3 @$!") == "ete asi"
    assert not is_made_of({"word"}, "short")  # that is for another validator


@pytest.mark.parametrize("page", ["login", "account", "again", "invitation"])
def test_password_fields_are_masked_and_open_to_password_managers(page: str) -> None:
    user = UserFactory()
    client = Client()
    path = {
        "login": "/login/",
        "account": "/account/password/",
        "again": "/account/prove/",
        "invitation": invitations.path_for(user),
    }[page]
    if page in {"account", "again"}:
        log_in_freshly(client, user)
    html = client.get(path, follow=True).content.decode()
    fields = re.findall(r'<input[^>]*name="[^"]*password[^"]*"[^>]*>', html)
    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field)
        assert "onpaste" not in field
        assert "maxlength" not in field or int(re.findall(r'maxlength="(\d+)"', field)[0]) >= 64


def test_the_hash_in_production_is_slow_enough() -> None:
    """PBKDF2 with SHA-256 is the first hasher that Django prefers; the tests use another one."""
    assert not hasattr(config.settings, "PASSWORD_HASHERS")
    assert global_settings.PASSWORD_HASHERS[0].endswith("PBKDF2PasswordHasher")
    assert PBKDF2PasswordHasher.iterations >= 600_000
    assert PBKDF2PasswordHasher.digest().name == "sha256"
