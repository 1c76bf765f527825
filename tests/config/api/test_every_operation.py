"""What holds for every operation of the API, by the schema: limits, ids, idempotency keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from accounts.models import Role, User
from core.models import StoredAnswer
from core.rates import windows
from tests.api_clients import post, with_token
from tests.clock import clock  # noqa: F401 - a fixture
from tests.config.api import world
from tests.config.api.world import Operation, Side
from tests.factories import TagFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OPERATIONS = [one for one in world.operations() if one.noun not in world.BY_SHOP_KEY]
POSTS = [one for one in OPERATIONS if one.method == "post"]
CONVERSATION = "/api/v1/conversations/{number}"


@pytest.fixture
def mine() -> Side:
    cache.clear()
    return world.side("Zebra")


@pytest.fixture
def client(mine: Side) -> Client:
    """An administrator with a desk, who holds the conversation: nothing is beyond them."""
    user: User = mine.agent.user
    user.role = Role.ADMIN
    user.save()
    return with_token(user)


def bodies(mine: Side) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return bodies with which a POST succeeds where that of the table does not."""
    site: dict[str, Any] = {"website": mine.website.key, "name": "New"}
    steps = [{"group": mine.step.group_id, "places": 1}]
    return {
        "/api/v1/agents/": lambda: {"username": UserFactory().username, "display_name": "New"},
        "/api/v1/skills/": lambda: site,
        "/api/v1/groups/": lambda: site,
        "/api/v1/holidays/": lambda: site | {"date": "2035-12-25"},
        "/api/v1/rules/": lambda: site | {"steps": steps},
        "/api/v1/targeting-rules/": lambda: site | {"rule": mine.step.rule_id},
        "/api/v1/replies/": lambda: {"owner": "own", "name": "New", "body": "x"},
        "/api/v1/articles/": lambda: site | {"language": "en", "body": "x"},
        "/api/v1/tags/": lambda: site,
        "/api/v1/tags/{number}/merge/": lambda: {"into": TagFactory(website=mine.website).pk},
        f"{CONVERSATION}/tags/": lambda: {"tags": [mine.rows["tags"]]},
        "/api/v1/conversations/": lambda: {
            "id": str(uuid.uuid4()),
            "visitor": str(mine.talk.visitor.public_id),
            "body": "x",
        },
    }


def body_of(operation: Operation, mine: Side) -> dict[str, Any]:
    return bodies(mine).get(operation.path, lambda: world.body_of(operation))()


NOT_HERE = {
    f"{CONVERSATION}/take/": "it is on the desk already",
    f"{CONVERSATION}/wake/": "it is not snoozed",
    f"{CONVERSATION}/resume/": "it is not set aside",
    f"{CONVERSATION}/transfer/": "the group of the table is not of this website",
    f"{CONVERSATION}/solve/": "a live conversation is closed",
    "/api/v1/webhooks/": "the body of the table is empty",
    "/api/v1/webhooks/{number}/deliveries/{delivery}/send-again/": "there is no delivery",
    "/api/v1/conversations/": "a visitor who is blocked",
}
"""POSTs that these rows refuse. A refusal uses no key: see test_conventions.py."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_answer_has_its_id_and_what_is_left(
    operation: Operation, client: Client, mine: Side, settings: Any
) -> None:
    settings.RATE_LIMITS = {"api": windows.parse("account 9/minute")}
    with transaction.atomic():
        answer = getattr(client, operation.method)(
            operation.address(mine), **({} if operation.method == "get" else JSON)
        )
        transaction.set_rollback(True)
    assert answer["RateLimit"].startswith('"api";r=')
    assert answer["RateLimit-Policy"].startswith('"api";q=')
    assert len(answer["X-Request-ID"]) >= 8
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"


JSON: dict[str, Any] = {"data": {}, "content_type": "application/json"}


@pytest.mark.parametrize("operation", POSTS, ids=str)
def test_every_post_with_a_key_happens_once(
    operation: Operation, client: Client, mine: Side
) -> None:
    path, body = operation.address(mine), body_of(operation, mine)
    key = {"Idempotency-Key": "k1"}
    first = post(client, path, body, **key)
    if operation.path in NOT_HERE:
        assert first.status_code >= 400, "it works now: take it out of NOT_HERE"
        assert not StoredAnswer.objects.exists()
        return
    assert 200 <= first.status_code < 300, first.content
    after = world.state()
    again = post(client, path, body, **key)
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert world.state() == after
    other = post(client, path, body | {"more": 1}, **key)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert world.state() == after


def test_most_posts_succeed_here() -> None:
    assert len(POSTS) - len(NOT_HERE) >= 20
