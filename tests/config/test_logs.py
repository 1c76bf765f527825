"""Log records: one line each, in UTC, with who was refused what, and nothing that forges a line."""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.models import Role
from config.application import application
from config.logs import OneLine
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
    assert line.endswith(f"[request {answer['X-Request-ID']}] [user {user.pk}]")


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
