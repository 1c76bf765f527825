"""A life of a conversation, with everything going wrong: no word of a person is in the logs."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import Client, RequestFactory

from accounts.models import Role, Website
from config import outages
from config.logs import JsonLine, OneLine
from conversations.messages import sending
from conversations.models import Author, Conversation
from core import request_ids
from core.events import outbox
from desk.views import pages
from messenger.mail import parsing
from messenger.website_texts import sha256_of, texts_of
from routing.models import RuleStep, TargetingRule
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory
from tests.logins import log_in_freshly
from tests.messenger.conftest import Browser

pytestmark = pytest.mark.django_db

WORD = "Quintessenzia"
ADDRESS = "quintessenzia@example.com"


class Lines(logging.Handler):
    """Formats every record at once, as the real handler does: in its context."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [OneLine().format(record), JsonLine().format(record)]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def step() -> RuleStep:
    step = StepFactory(rule__website__key="demo", rule__website__domains=["testserver"])
    TargetingRule.objects.create(website=step.rule.website, name="all", rule=step.rule)
    return step


def violate_a_constraint(word: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS once (word text PRIMARY KEY)")
        cursor.execute("INSERT INTO once VALUES (%s)", [word])
        cursor.execute("INSERT INTO once VALUES (%s)", [word])


def write_first(website: Website, body: str) -> Conversation:
    browser = Browser(website)
    consent = sha256_of(texts_of(website, "fr")["consent"])
    answer = browser.post(
        "visitors/", {"language": "fr", "consent": consent, "name": WORD, "email": ADDRESS}
    )
    assert answer.status_code == 201
    browser.token = answer.json()["token"]
    message = {"client_id": str(uuid.uuid4()), "body": body, "page_url": f"/?who={WORD}"}
    assert browser.post("conversations/", message).status_code == 201
    return Conversation.objects.get()


def test_no_word_of_a_person_is_logged(
    step: RuleStep, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = write_first(step.rule.website, f"I am {WORD}")
    agent = AgentFactory(user=UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    step.group.members.add(agent)
    desk = Client(raise_request_exception=False)
    assert desk.post("/login/", {"username": WORD, "password": WORD}).status_code == 200
    log_in_freshly(desk, agent.user)
    for path in (f"/desk/c/{conversation.pk}/", f"/desk/search/?q={WORD}", f"/nothing/?q={WORD}"):
        desk.get(path, headers={"Referer": f"https://shop.example/?who={WORD}"})
    sending.add(conversation.pk, author=Author.VISITOR, body=WORD, client_id=uuid.uuid4(), at=NOW)
    parsing.parse(f"Subject: {WORD}\nFrom: {ADDRESS}\n\n{WORD}".encode())

    # A reaction fails on a row that repeats what somebody wrote.
    monkeypatch.setitem(outbox._reactions, "tests.fails", violate_a_constraint)
    [entry] = outbox.enqueue([("tests.fails", {"word": f"{WORD}\n\n {ADDRESS}"})])
    assert not outbox.deliver(entry)
    assert any("outbox entry" in line and "not logged" in line for line in lines.texts)
    assert lines.texts
    told = [line for line in lines.texts if WORD.lower() in line.lower()]
    assert told == []


def test_a_failing_page_logs_no_word_but_the_number_of_the_conversation(
    step: RuleStep, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = write_first(step.rule.website, WORD)
    agent = AgentFactory(user=UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    desk = Client(raise_request_exception=False)
    log_in_freshly(desk, agent.user)
    monkeypatch.setattr(pages, "_page", lambda *_a, **_k: violate_a_constraint(WORD))
    answer = desk.get(f"/desk/c/{conversation.pk}/")
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in answer.text
    records = [json.loads(line) for line in lines.texts if line.startswith("{")]
    [error] = [each for each in records if each["logger"] == "django.request"]
    assert error["request"] == answer["X-Request-ID"]
    assert error["user"] == agent.user.pk
    assert error["conversation"] == str(conversation.pk)
    assert "IntegrityError" in error["error"]
    assert WORD not in "".join(lines.texts)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/api/v1/me/", "application/problem+json"), ("/messenger/demo/", "application/json")],
)
def test_programs_are_told_the_id_as_well(
    step: RuleStep, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    request = RequestFactory().get(path)
    with request_ids.named("request-7"):
        answer = outages.server_error(request)
    assert answer.status_code == 500
    assert answer["Content-Type"].startswith(kind)
    if path.startswith("/api/"):
        assert json.loads(answer.content)["request_id"] == "request-7"
