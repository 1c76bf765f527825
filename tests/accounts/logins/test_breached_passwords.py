"""A sorted file of breached passwords, searched without reading it all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from accounts.logins.breached_passwords import BreachedPasswordValidator, contains

WORDS = [f"word{number}" for number in range(300)]


def line_of(password: str) -> str:
    return f"{hashlib.sha1(password.encode()).hexdigest().upper()}:{len(password)}"


@pytest.fixture(scope="module", params=["\n", "\r\n"], ids=["lf", "crlf"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("breached") / "passwords.txt"
    path.write_bytes(request.param.join(sorted(map(line_of, WORDS))).encode())
    return path


def test_every_password_of_the_file_is_found(file: Path) -> None:
    assert all(contains(file, word) for word in WORDS)


def test_no_other_password_is_found(file: Path) -> None:
    others = [f"other{number}" for number in range(2000)] + ["", "é", "漢" * 100]
    assert not any(contains(file, word) for word in others)


def test_the_validator_refuses_them_and_is_off_without_a_file(
    file: Path, settings: Settings
) -> None:
    settings.BREACHED_PASSWORDS = str(file)
    with pytest.raises(ValidationError, match="data breach"):
        BreachedPasswordValidator().validate("word7")
    BreachedPasswordValidator().validate("another word")
    settings.BREACHED_PASSWORDS = ""
    BreachedPasswordValidator().validate("word7")
