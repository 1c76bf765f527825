"""Login, the redirect to the right page, the language."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Role
from tests.factories import PASSWORD, AgentFactory, UserFactory

pytestmark = pytest.mark.django_db


def log_in(client: Client, username: str, password: str = PASSWORD, to: str = "") -> object:
    return client.post("/login/", {"username": username, "password": password, "next": to})


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.AGENT, "/desk/"),
        (Role.EXPERT, "/desk/"),
        (Role.MANAGER, "/reports/production/"),
        (Role.ADMIN, "/reports/production/"),
    ],
)
def test_the_first_page_redirects_by_role(role: Role, place: str) -> None:
    user = UserFactory(role=role)
    client = Client()
    assert client.get("/")["Location"] == "/login/"
    assert log_in(client, user.username)["Location"] == "/"  # type: ignore[index]
    assert client.get("/")["Location"] == place


def test_login_renews_the_session_key_and_redirects_to_next() -> None:
    agent = AgentFactory()
    client = Client()
    client.get("/login/")
    before = client.session.session_key
    answer = log_in(client, agent.user.username, to="/desk/snoozed/")
    assert answer["Location"] == "/desk/snoozed/"  # type: ignore[index]
    assert client.session.session_key not in {None, before}


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_login_never_redirects_to_another_site(to: str) -> None:
    user = UserFactory()
    assert log_in(Client(), user.username, to=to)["Location"] == "/"  # type: ignore[index]


def test_a_wrong_password_and_an_unknown_name_give_the_same_error() -> None:
    user = UserFactory()
    answers = [
        log_in(Client(), name, "wrong").content.decode()  # type: ignore[attr-defined]
        for name in (user.username, "nobody")
    ]
    for answer in answers:
        assert answer.count('id="refused"') == 1
    sentences = {answer.split('id="refused"')[1].split("</div>")[0] for answer in answers}
    assert len(sentences) == 1


def test_the_language_is_stored_for_the_browser_and_the_user() -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    answer = client.post("/language/", {"language": "fr", "next": "/desk/"})
    assert answer["Location"] == "/desk/"
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fr"
    user.refresh_from_db()
    assert user.language == "fr"
    elsewhere = Client()
    log_in(elsewhere, user.username)
    assert elsewhere.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fr"


def test_an_unknown_language_changes_nothing() -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    client.post("/language/", {"language": "xx"})
    user.refresh_from_db()
    assert user.language == ""
    assert client.get("/language/").status_code == 405


@pytest.mark.parametrize(
    ("address", "status"), [("/nowhere/", 404), ("/desk/c/1/", 404), ("/language/", 405)]
)
def test_errors_are_pages_of_the_product(address: str, status: int) -> None:
    client = Client()
    client.force_login(AgentFactory().user)
    answer = client.get(address)
    assert answer.status_code == status
    assert "Back to Causerie" in answer.content.decode()


def test_a_missing_csrf_token_is_explained() -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "x"})
    assert answer.status_code == 403
    assert "Back to Causerie" in answer.content.decode()
