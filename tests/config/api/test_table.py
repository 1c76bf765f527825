"""Every operation of the API, by every role, on rows of another website: read from the schema, so
that a new operation is in the table without being added to it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import tokens
from accounts.models import Role
from tests.api_clients import EVERY_SCOPE, with_token
from tests.clock import clock  # noqa: F401 - a fixture
from tests.config.api import world
from tests.config.api.world import Operation, Side
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINE, FOREIGN = "Zebra", "Pangolin"
ROLES = ("agent", "expert", "manager", "confined administrator")
OPERATIONS = list(world.operations())


@pytest.fixture
def sides() -> tuple[Side, Side]:
    cache.clear()
    return world.side(MINE), world.side(FOREIGN)


def client_of(role: str, mine: Side) -> Client:
    if role == "confined administrator":
        return with_token(UserFactory(role=Role.ADMIN), websites=[mine.website])
    return with_token(world.people(mine)[role])


def ask(client: Client, operation: Operation, one: Side) -> Any:
    return getattr(client, operation.method)(
        operation.address(one),
        **(
            {}
            if operation.method == "get"
            else {"data": world.body_of(operation), "content_type": "application/json"}
        ),
    )


def test_the_table_has_every_operation() -> None:
    assert len(OPERATIONS) >= 100
    assert {str(one) for one in OPERATIONS} >= {
        "GET /api/v1/conversations/",
        "POST /api/v1/conversations/{number}/messages/",
        "DELETE /api/v1/exports/{number}/",
    }


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_rows_of_another_website(role: str, sides: tuple[Side, Side]) -> None:
    mine, foreign = sides
    client = client_of(role, mine)
    before = world.state()
    for operation in OPERATIONS:
        if not operation.names_a_row:
            continue
        answer = ask(client, operation, foreign)
        refusal = (answer.status_code, answer.json()["code"])
        assert refusal == (404, "not_found"), operation
    assert world.state() == before


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_names_what_is_of_another_website(role: str, sides: tuple[Side, Side]) -> None:
    mine, _foreign = sides
    client = client_of(role, mine)
    read = 0
    for operation in OPERATIONS:
        if operation.method != "get":
            continue
        answer = ask(client, operation, mine)
        assert answer.status_code in {200, 400, 401, 404, 409}, operation
        content = b"".join(answer) if answer.streaming else answer.content
        assert FOREIGN.lower() not in content.decode().lower(), operation
        read += answer.status_code == 200
    assert read >= 5


def test_strangers_open_nothing(sides: tuple[Side, Side]) -> None:
    mine, _foreign = sides
    revoked = with_token(UserFactory(role=Role.ADMIN))
    tokens.revoke(tokens.ApiToken.objects.all(), at=world.NOW)
    strangers = [Client(), revoked, Client(headers={"Authorization": "Bearer shop_wrong"})]
    before = world.state()
    for client in strangers:
        for operation in OPERATIONS:
            answer = ask(client, operation, mine)
            assert answer.status_code == 401, operation
            assert answer["WWW-Authenticate"] == "Bearer"
    assert world.state() == before


def test_each_operation_needs_the_scope_of_its_noun(sides: tuple[Side, Side]) -> None:
    mine, _foreign = sides
    user = UserFactory(role=Role.ADMIN)
    before = world.state()
    for operation in OPERATIONS:
        if operation.noun in world.BY_SHOP_KEY:
            continue
        noun = operation.scope
        assert noun in tokens.NOUNS, f"{operation}: which scope does it need?"
        others = [scope for scope in EVERY_SCOPE if not scope.startswith(f"{noun}:")]
        lacking = [others] if operation.method == "get" else [others, [*others, f"{noun}:read"]]
        for scopes in lacking:
            answer = ask(with_token(user, scopes=scopes), operation, mine)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope"), operation
    changed = {table for table, digest in world.state().items() if digest != before[table]}
    assert changed <= {"accounts_user"}


def test_a_session_of_an_agent_reaches_what_its_token_reaches(sides: tuple[Side, Side]) -> None:
    mine, foreign = sides
    session = Client()
    session.force_login(mine.agent.user)
    for operation in OPERATIONS:
        if operation.names_a_row and operation.method == "get":
            assert ask(session, operation, foreign).status_code == 404, operation
