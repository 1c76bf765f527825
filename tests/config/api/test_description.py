"""The API against its own description: schemathesis sends every operation what the description
allows and what it does not, as an administrator and without a token.

``make test`` sends a few requests to each operation, ``make api`` fifty (``API_EXAMPLES``).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tokens
from accounts.models import Role
from tests.api_clients import EVERY_SCOPE
from tests.clock import NOW
from tests.config.api import world
from tests.config.api.world import Operation, Side
from tests.factories import UserFactory

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies warn about each other
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("API_EXAMPLES", "3"))
UNCHECKED = {
    # Rules that no description can express answer valid data with 400: a foreign number, a window
    # without a style, an event that a format does not carry.
    "positive_data_acceptance",
    # Invalid data are sent, and must not break anything; but a number is taken as a text, and the
    # text of a number as a number, as programs in languages without types send them.
    "negative_data_rejection",
    # Needs two identities of schemathesis; test_table.py asks with every role for foreign rows.
    "object_level_authorization",
}


class Undo(Exception):
    """Takes back what a request has changed."""


class Undone:
    """The product as a WSGI application that changes nothing: each request is rolled back."""

    def __init__(self) -> None:
        self.handler: WSGIHandler | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        handler = self.handler = self.handler or WSGIHandler()
        try:
            with transaction.atomic():
                response = handler(environ, start_response)
                body = b"".join(response)
                response.close()
                raise Undo
        except Undo:
            return [body]


def description() -> Any:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    described = schemathesis.openapi.from_dict(schema)
    described.app = Undone()
    return described


DESCRIPTION = description()
DESCRIBED = {one.ok().label: one.ok() for one in DESCRIPTION.get_all_operations()}
LABELS = [str(one) for one in world.operations()]


@pytest.fixture
def mine() -> Iterator[Side]:
    cache.clear()
    signals = (request_started, request_finished)
    for signal in signals:  # as Django's own test client: the test's connection stays open
        signal.disconnect(close_old_connections)
    with connection.cursor() as cursor:  # a busy machine may think for long between two requests
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    yield world.side("Zebra")
    for signal in signals:
        signal.connect(close_old_connections)


def test_every_operation_is_described() -> None:
    assert set(DESCRIBED) == set(LABELS)


@pytest.mark.parametrize("label", LABELS)
def test_an_operation_does_what_its_description_says(label: str, mine: Side, settings: Any) -> None:
    settings.RATE_LIMITS = {}
    user = UserFactory(role=Role.ADMIN)
    _token, text = tokens.make(user, name="t", scopes=EVERY_SCOPE, at=NOW)
    operation = DESCRIBED[label]
    send(operation, st.one_of(cases_of(operation, label, mine)), f"Bearer {text}")


def cases_of(operation: Any, label: str, mine: Side) -> list[Any]:
    """Return strategies of valid and invalid requests, to a row that exists and to any."""
    method, path = label.split(" ")
    known = path_parameters(Operation(method.lower(), path), mine)
    valid, wrong = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    strategies = [operation.as_strategy(valid, path_parameters=known)]
    if operation.body or operation.query or operation.path_parameters:
        strategies.append(operation.as_strategy(wrong))
    if operation.body:
        strategies.append(operation.as_strategy(wrong, path_parameters=known))
    return strategies


def path_parameters(operation: Operation, mine: Side) -> dict[str, Any]:
    """Return the values with which ``operation`` names rows of ``mine``."""
    given = operation.address(mine).split("/")
    names = operation.path.split("/")
    return {
        name.strip("{}"): value
        for name, value in zip(names, given, strict=True)
        if name.startswith("{") and name.endswith("}")
    }


def send(operation: Any, cases: Any, authorization: str) -> None:
    unchecked = [check for check in CHECKS.get_all() if check.__name__ in UNCHECKED]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def each(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": authorization}, excluded_checks=unchecked)

    each()
