"""The examples in the description of the API: each is sent, and does what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Role
from config.api.examples import REQUESTS
from tests.api_clients import with_token
from tests.clock import clock  # noqa: F401 - a fixture
from tests.config.api import world
from tests.config.api.world import Operation, Side
from tests.factories import StepFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def mine() -> Side:
    cache.clear()
    return world.side("Zebra")


@pytest.fixture
def client(mine: Side) -> Client:
    user = mine.agent.user
    user.role = Role.ADMIN
    user.save()
    UserFactory(username="ada")
    return with_token(user)


def filled(value: Any, mine: Side) -> Any:
    """Return an example with the numbers and names of this installation."""
    rows = {7: mine.step.group_id, 4: mine.step.rule_id, 3: mine.agent.pk, 5: mine.rows["skills"]}
    keys = {"group": rows, "groups": rows, "rule": rows, "members": rows, "skills": rows}
    if isinstance(value, dict):
        return {name: _named(name, one, keys, mine) for name, one in value.items()}
    return [filled(one, mine) for one in value] if isinstance(value, list) else value


def _named(name: str, value: Any, keys: dict[str, dict[int, int]], mine: Side) -> Any:
    if name == "website":
        return mine.website.key
    if name == "url":
        return "https://1.1.1.1/"  # a name would be looked up
    if name == "owner":
        return f"group-{mine.step.group_id}"
    if name in keys:
        return [keys[name][one] for one in value] if isinstance(value, list) else keys[name][value]
    return filled(value, mine)


@pytest.mark.parametrize("operation", REQUESTS, ids=" ".join)
def test_an_example_is_accepted(operation: tuple[str, str], client: Client, mine: Side) -> None:
    method, path = operation
    body = filled(REQUESTS[operation], mine)
    if path.endswith("/transfer/"):
        body["group"] = StepFactory(rule=mine.step.rule, group__website=mine.website).group_id
    address = Operation(method, path).address(mine)
    answer = getattr(client, method)(address, data=body, content_type="application/json")
    assert 200 <= answer.status_code < 300, answer.content


def test_the_description_shows_every_example() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for (method, path), body in REQUESTS.items():
        shown = schema["paths"][path][method]["requestBody"]["content"]["application/json"]
        assert shown["example"] == body
