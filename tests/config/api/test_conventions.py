"""What holds for every address of the API: errors, request ids, limits, idempotency keys."""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Agent
from config.api import middleware
from config.logs import OneLine
from conversations.messages import sending
from conversations.models import Conversation, Message
from core import idempotency, request_ids
from core.models import StoredAnswer
from core.rates import counters, windows
from routing.models import RuleStep
from tests.api_clients import post, with_token
from tests.factories import AgentFactory, StepFactory, on_desk

pytestmark = pytest.mark.django_db
LIST = "/api/v1/conversations/"


@pytest.fixture
def step() -> RuleStep:
    cache.clear()
    return StepFactory()


@pytest.fixture
def agent(step: RuleStep) -> Agent:
    agent = AgentFactory()
    step.group.members.add(agent)
    return agent


@pytest.fixture
def talk(step: RuleStep, agent: Agent) -> Conversation:
    return on_desk(step, agent)


@pytest.fixture
def client(agent: Agent) -> Client:
    return with_token(agent.user)


def message() -> dict[str, str]:
    return {"id": str(uuid.uuid4()), "body": "Bonjour"}


# --- Errors and ids


def test_an_error_is_a_problem_detail_with_the_code_and_the_sentence(client: Client) -> None:
    answer = client.get(f"{LIST}99/", headers={"X-Request-ID": "abcdefgh-1"})
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["X-Request-ID"] == "abcdefgh-1"
    body = answer.json()
    assert body["error"] == {"code": "not_found", "message": body["detail"]}
    assert {key: body[key] for key in ("type", "title", "status", "code", "request_id")} == {
        "type": "/api/docs/#error-not_found",
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "request_id": "abcdefgh-1",
    }


@pytest.mark.parametrize("forged", ["", "x", "a" * 65, "12345678 ERROR forged", "12345678\u00e9"])
def test_an_id_that_could_forge_a_log_record_is_replaced(forged: str, client: Client) -> None:
    answer = client.get(LIST, headers={"X-Request-ID": forged})
    assert answer["X-Request-ID"] not in {"", forged}
    assert request_ids.ACCEPTED.fullmatch(answer["X-Request-ID"])


def test_log_records_carry_the_id() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 1, "hello", (), None)
    with request_ids.named("request-7"):
        assert OneLine().format(record).endswith("x: hello [request request-7]")
    assert OneLine().format(record).endswith("x: hello")


# --- Limits


def test_answers_say_how_much_is_left(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = {"api": windows.parse("account 3/minute")}
    left = [client.get(LIST)["RateLimit"].partition(";t=")[0] for _ in range(3)]
    assert left == ['"api";r=2', '"api";r=1', '"api";r=0']
    assert client.get(LIST).status_code == 429
    refused = client.get(LIST)
    assert refused.json()["code"] == "too_many"
    assert 1 <= int(refused["Retry-After"]) <= 120
    assert refused["Content-Type"] == "application/problem+json"


def test_one_token_does_not_use_up_the_limit_of_another(
    client: Client, agent: Agent, settings: Any
) -> None:
    settings.RATE_LIMITS = {"api": windows.parse("account 1/minute")}
    other = with_token(agent.user)
    assert [one.get(LIST).status_code for one in (client, client, other)] == [200, 429, 200]


def test_everybody_is_admitted_while_valkey_is_away(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = {"api": windows.parse("account 1/minute")}
    settings.RATE_LIMIT_URL = "redis://127.0.0.1:1/1"
    counters.forget_connections()
    try:
        answers = [client.get(LIST) for _ in range(3)]
    finally:
        counters.forget_connections()
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "RateLimit" not in answers[0]


# --- Idempotency keys


def test_a_repeat_gets_the_first_answer_and_does_nothing(
    client: Client, talk: Conversation
) -> None:
    path, body = f"{LIST}{talk.pk}/messages/", message()
    headers = {"Idempotency-Key": "k1"}
    first = post(client, path, body, **headers)
    again = post(client, path, body, **headers)
    assert (first.status_code, again.status_code) == (201, 201)  # by its id it would be 200
    assert again.json() == first.json()
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Message.objects.count() == 1


def test_a_key_with_another_body_or_address_is_refused(
    client: Client, step: RuleStep, agent: Agent, talk: Conversation
) -> None:
    headers, body = {"Idempotency-Key": "k1"}, message()
    assert post(client, f"{LIST}{talk.pk}/messages/", body, **headers).status_code == 201
    other = on_desk(step, agent)
    for path, sent in (
        (f"{LIST}{talk.pk}/messages/", body | {"body": "Bonsoir"}),
        (f"{LIST}{other.pk}/messages/", body),
    ):
        refused = post(client, path, sent, **headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "key_reused")
    assert Message.objects.count() == 1


def test_a_key_belongs_to_its_token(client: Client, agent: Agent, talk: Conversation) -> None:
    path, headers = f"{LIST}{talk.pk}/messages/", {"Idempotency-Key": "k1"}
    assert post(client, path, message(), **headers).status_code == 201
    assert post(with_token(agent.user), path, message(), **headers).status_code == 201
    assert Message.objects.count() == 2


def test_a_failed_request_changes_nothing_and_does_not_use_its_key(
    client: Client, talk: Conversation
) -> None:
    path, headers = f"{LIST}{talk.pk}/messages/", {"Idempotency-Key": "k1"}
    assert post(client, path, {"id": "no"}, **headers).status_code == 400
    assert not StoredAnswer.objects.exists()
    assert post(client, path, message(), **headers).status_code == 201


def test_a_key_is_free_again_after_a_day(client: Client, talk: Conversation) -> None:
    path, headers = f"{LIST}{talk.pk}/messages/", {"Idempotency-Key": "k1"}
    post(client, path, message(), **headers)
    StoredAnswer.objects.update(created_at=timezone.now() - idempotency.RETENTION)
    assert post(client, path, message(), **headers).status_code == 201
    assert Message.objects.count() == 2


def test_answers_are_purged_after_a_day(client: Client, talk: Conversation) -> None:
    post(client, f"{LIST}{talk.pk}/messages/", message(), **{"Idempotency-Key": "k1"})
    at = timezone.now()
    assert idempotency.purge(before=at - timedelta(hours=1)) == 0
    assert idempotency.purge(before=at + timedelta(hours=1)) == 1


def test_an_erasure_empties_stored_answers(client: Client, talk: Conversation) -> None:
    from conversations.privacy import personal_data

    path, headers, body = f"{LIST}{talk.pk}/messages/", {"Idempotency-Key": "k1"}, message()
    post(client, path, body, **headers)
    personal_data.forget(talk.website, [talk.visitor_id])
    assert bytes(StoredAnswer.objects.get().body) == b""
    again = post(client, path, body, **headers)
    assert (again.status_code, again.content) == (201, b"")


@pytest.mark.parametrize("key", ["é", "a\tb", "x" * 256])
def test_a_malformed_idempotency_key_is_refused(
    key: str, client: Client, talk: Conversation
) -> None:
    refused = post(client, f"{LIST}{talk.pk}/messages/", message(), **{"Idempotency-Key": key})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")


@pytest.mark.django_db(transaction=True)
def test_equal_requests_at_once_do_the_work_once(talk: Conversation, agent: Agent) -> None:
    client = with_token(agent.user)
    path, start = f"{LIST}{talk.pk}/messages/", threading.Barrier(6)
    # Different ids of the message would make six messages of them.
    answers: list[Any] = []
    body = message()

    def ask() -> None:
        try:
            start.wait()
            answers.append(post(client, path, body, **{"Idempotency-Key": "k1"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 6
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 5
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_crash_before_the_answer_is_stored_undoes_the_work(
    talk: Conversation, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = with_token(agent.user)
    path, headers, body = f"{LIST}{talk.pk}/messages/", {"Idempotency-Key": "k1"}, message()

    def crash(*args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(middleware.idempotency, "store", crash)
        assert post(client, path, body, **headers).status_code == 500
    assert not Message.objects.exists()
    assert post(client, path, body, **headers).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_repeat_of_an_unfinished_request_is_answered_with_retry_after(
    talk: Conversation, agent: Agent
) -> None:
    client = with_token(agent.user)
    body, headers = message(), {"Idempotency-Key": "k1"}
    path = f"{LIST}{talk.pk}/messages/"
    from django.db import transaction

    from accounts.models import ApiToken

    holder = f"token:{ApiToken.objects.get().pk}"
    claimed, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            idempotency.claim(holder, "k1", "x", at=timezone.now())
            claimed.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    claimed.wait(20)
    try:
        refused = post(client, path, body, **headers)
    finally:
        done.set()
        thread.join()
    assert (refused.status_code, refused.json()["code"]) == (409, "in_progress")
    assert refused["Retry-After"] == "1"


def test_a_locked_conversation_answers_503(
    client: Client, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError
    from psycopg.errors import LockNotAvailable

    def locked(*args: object, **kwargs: object) -> None:
        raise OperationalError from LockNotAvailable()

    monkeypatch.setattr(sending, "add", locked)
    answer = post(client, f"{LIST}{talk.pk}/messages/", message())
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
