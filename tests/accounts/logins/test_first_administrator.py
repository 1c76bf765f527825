"""A new installation asks for its first administrator, once."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.logins import first_administrator
from accounts.models import Role, ServiceAccount, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
FORM = {
    "username": "ada",
    "email": "ada@example.com",
    "password1": "a-fine-password-7",
    "password2": "a-fine-password-7",
}


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the path of the link that the command prints, or what it prints instead."""
    call_command("first_administrator", verbosity=0)
    return urlsplit(capsys.readouterr().out.strip()).path


def test_the_link_makes_one_administrator_and_logs_them_in(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    ServiceAccount.objects.create(username="program", is_service=True, password="!")
    path = printed(capsys)
    assert re.fullmatch(r"/first-administrator/[\w:-]+/", path)
    assert client.get(path).status_code == 200
    answer = client.post(path, FORM)
    assert answer["Location"] == "/admin/"
    ada = User.objects.get(username="ada")
    assert (ada.role, ada.is_superuser, ada.email) == (Role.ADMIN, False, "ada@example.com")
    assert client.get("/admin/").status_code == 200

    assert Client().get(path).status_code == 410
    assert Client().post(path, FORM | {"username": "eve"}).status_code == 410
    assert not User.objects.filter(username="eve").exists()
    assert printed(capsys) == ""


def test_a_fault_keeps_what_was_typed_and_a_common_password_is_refused(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = FORM | {"password1": "password", "password2": "password"}
    answer = client.post(printed(capsys), weak)
    assert answer.status_code == 200
    assert 'value="ada@example.com"' in answer.content.decode()
    assert not User.objects.exists()


def test_the_link_ends_after_an_hour(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    path = printed(capsys)
    assert client.get(path + "x").status_code == 404
    assert client.get(path[:-2] + "/").status_code == 410
    with time_machine.travel(time.time() + 3601):
        assert client.post(path, FORM).status_code == 410
    assert not User.objects.exists()


def test_the_link_ends_once_an_account_exists(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    path = printed(capsys)
    assert "printed when it started" in client.get("/login/").content.decode()
    UserFactory(is_active=False)
    assert client.get(path).status_code == 410
    assert "printed when it started" not in client.get("/login/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_one_is_first() -> None:
    start = Barrier(4)

    def create(number: int) -> bool:
        start.wait()
        try:
            return first_administrator.create(User(username=f"user{number}", password="!"))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == [False, False, False, True]
    assert User.objects.count() == 1
