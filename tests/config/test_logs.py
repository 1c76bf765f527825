"""Log records: one line each, in UTC, with who was refused what, and nothing that forges a line."""

from __future__ import annotations

import json
import logging
import re
import sys
import uuid
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.models import Role
from config.application import application
from config.logs import JsonLine, OneLine, without_values
from core import log_context, request_ids
from tests.config.test_asgi import asked, engines_at_rest
from tests.factories import UserFactory
from tests.logins import log_in_freshly

__all__ = ["engines_at_rest"]


def record(text: str, **attributes: Any) -> logging.LogRecord:
    one = logging.LogRecord("x", logging.WARNING, "", 1, text, (), None)
    one.__dict__.update(attributes)
    return one


@pytest.mark.parametrize(
    "character", ["\r", "\n", "\x0b", "\x0c", "\x1b", "\x00", "\x85", "\u2028", "\u202e"]
)
def test_no_text_begins_another_line_or_moves_the_cursor(character: str) -> None:
    line = OneLine().format(record(f"hello{character}ERROR forged"))
    assert character not in line
    assert len(line.splitlines()) == 1
    assert repr(character)[1:-1].lower() in line


def test_letters_of_every_language_stay() -> None:
    assert OneLine().format(record("élève 客户 🙂")).endswith("x: élève 客户 🙂")


def test_times_are_in_utc() -> None:
    line = OneLine().format(record("hello", created=0.5, msecs=500.0))
    assert re.search(r" 1970-01-01T00:00:00\.500Z WARNING x: hello$", line)


@pytest.mark.django_db
def test_a_refused_page_is_logged_with_the_user_and_the_request(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    user = UserFactory(role=Role.AGENT)
    log_in_freshly(client, user)
    answer = client.get("/desk/c/999999/")
    assert answer.status_code == 404
    [one] = [each for each in caplog.records if each.name == "django.request"]
    line = OneLine().format(one)
    assert "/desk/c/999999/" in line
    ids = f"[request {answer['X-Request-ID']}] [user {user.pk}]"
    assert line.endswith(ids)
    parsed = json.loads(JsonLine().format(one))
    assert (parsed["request"], parsed["user"]) == (answer["X-Request-ID"], user.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_a_refusal_of_a_raw_endpoint_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    path = f"/messenger/nobody/conversations/{uuid.uuid4()}/messages/"
    start, _body = await asked("GET", path, None, (b"authorization", b"Bearer stolen-token"))
    assert start["status"] in {401, 404}
    assert f"refused: GET {path}, " in caplog.text
    assert "stolen-token" not in caplog.text


async def test_a_socket_of_another_page_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    headers = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
    socket = WebsocketCommunicator(application, "/ws/desk/", headers)
    is_open, code = await socket.connect()
    assert (is_open, code) == (False, 4403)
    assert "a socket of another page was refused: /ws/desk/" in caplog.text


def test_a_record_as_json_has_its_ids() -> None:
    with request_ids.named("request-7"), log_context.begun():
        log_context.note(conversation=42, user=3)
        line = JsonLine().format(record("élève\n\u2028 \u202e", created=0.5, msecs=500.0))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "WARNING",
        "logger": "x",
        "process": "-",
        "message": "élève\n\u2028 \u202e",
        "request": "request-7",
        "user": 3,
        "conversation": "42",
    }


def test_an_error_as_json_has_its_traceback() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        parsed = json.loads(JsonLine().format(record("hello", exc_info=sys.exc_info())))
    assert parsed["error"].startswith("Traceback")
    assert parsed["error"].endswith("ValueError: broken")


def test_a_line_names_the_conversation() -> None:
    with log_context.begun():
        log_context.note(conversation=42)
        assert OneLine().format(record("hello")).endswith("x: hello [conversation 42]")
    log_context.note(conversation=43)  # about nothing
    assert OneLine().format(record("hello")).endswith("x: hello")


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("broken", "broken"),
        (
            "duplicate key\nDETAIL:  Key (a)=(Zo\n\n é) exists.",
            "duplicate key\nDETAIL: (not logged)",
        ),
        (
            "one\nDETAIL:  Zoé\n\nThe above exception was the cause:\n\ntwo",
            "one\nDETAIL: (not logged)\n\nThe above exception was the cause:\n\ntwo",
        ),
        (
            'invalid input syntax for type integer: "Zoé "x"\nLINE 1: SELECT',
            "invalid input syntax for type integer: (not logged)\nLINE 1: SELECT",
        ),
    ],
)
def test_values_of_rows_are_not_logged(said: str, logged: str) -> None:
    assert without_values(said) == logged


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_every_answer_has_an_id_and_takes_that_of_the_proxy() -> None:
    raw = f"/messenger/nobody/conversations/{uuid.uuid4()}/messages/"
    for path in ("/login/", "/healthz", "/nothing/", raw):
        for offered in ((), ((b"x-request-id", b"from-the-proxy-7"),)):
            start = (await asked("GET", path, None, *offered))[0]
            ids = [value for name, value in start["headers"] if name.lower() == b"x-request-id"]
            assert len(ids) == 1, path
            assert request_ids.ACCEPTED.fullmatch(ids[0].decode())
            assert (ids[0] == b"from-the-proxy-7") == bool(offered)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engines_at_rest")
async def test_a_raw_endpoint_names_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[dict[str, Any]] = []

    class Seen(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            seen.append(json.loads(JsonLine().format(record)))
            return True

    conversation = str(uuid.uuid4())
    one = Seen()
    caplog.handler.addFilter(one)
    try:
        await asked(
            "GET",
            f"/messenger/nobody/conversations/{conversation}/messages/",
            None,
            (b"authorization", b"Bearer stolen"),
        )
    finally:
        caplog.handler.removeFilter(one)
    refused = [each for each in seen if each["message"].startswith("refused")]
    assert [each["conversation"] for each in refused] == [conversation]
