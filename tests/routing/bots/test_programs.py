"""External bots as real processes: one that behaves, and one that does each wrong thing."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from jsonschema import Draft202012Validator
from time_machine import escape_hatch

from accounts.models import Role
from conversations.lifecycle import deadlines
from conversations.lifecycle.transitions import DeadlineKind, Status
from conversations.messages import sending
from conversations.models import Author, CloseReason, Conversation
from routing.bots import outcomes, program_calls, programs
from routing.bots.contract import description
from routing.bots.program_calls import Answered
from routing.models import Bot, BotEndpoint, Fault, ProgramRun, RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, SkillFactory, UserFactory, connect, queued
from tests.routing.bots.program_scene import process, reload, said, start, step_with, work
from tests.routing.bots.test_runner import together

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "durable_wires"),
]


@pytest.fixture(scope="module")
def wrong() -> Iterator[tuple[subprocess.Popen[str], str]]:
    with process("tests/routing/bots/wrong_bot.py") as running:
        yield running


@pytest.fixture(autouse=True)
def may_be_private(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = True
    monkeypatch.setattr(program_calls, "SECONDS", 1)


def write(conversation: Conversation, body: str) -> None:
    sending.add(conversation.pk, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=NOW)


def later(conversation: Conversation, seconds: float) -> None:
    """Let time pass, then do what is due for a conversation by then."""
    with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
        programs.deliver(conversation_id=conversation.pk)


def give_up(conversation: Conversation) -> None:
    """Let the program have all its attempts."""
    work()
    for number in (1, 2):
        later(conversation, 4 * number)


# --- A bot that behaves ------------------------------------------------------------------------


@pytest.fixture
def signed_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign at the real time: the bot, a process of its own, refuses what is not of today."""
    headers_of = program_calls.headers_of

    def signed(*of: Any, at: datetime) -> dict[str, str]:
        return headers_of(*of, at=escape_hatch.datetime.datetime.now(UTC))

    monkeypatch.setattr(program_calls, "headers_of", signed)


@pytest.mark.usefixtures("signed_today")
def test_the_example_talks_sets_waits_and_passes_on() -> None:
    with process("examples/bots/orders.py") as (_bot, url):
        step = step_with(url)
        conversation = start(step)
        work()
        assert said(conversation) == [
            "Hello Ada, I am the order bot.",
            "What would you like to know?",
        ]
        assert reload(conversation).deadline_kind == DeadlineKind.BOT_INACTIVITY
        write(conversation, "Where is my order?")
        work()
        write(conversation, "it is cm-1001")
        work()
        assert said(conversation)[2:] == ["What is your order number, such as CM-1001?"]
        later(conversation, 2)  # the example pauses for a second
        assert said(conversation)[3:] == [
            "Order CM-1001 is on its way: it arrives tomorrow.",
            "Anything else?",
        ]
        assert ProgramRun.objects.get().values == {"order": "CM-1001", "tries": "0"}
        write(conversation, "Something else")
        work()
        assert reload(conversation).status == Status.QUEUED
        assert said(conversation)[-1] == "An adviser takes over."
        assert "reason" not in conversation.events.last().data
        assert BotEndpoint.objects.get().failures == 0


@pytest.mark.usefixtures("signed_today")
def test_the_example_may_close_and_a_visitor_may_ask_for_a_person() -> None:
    with process("examples/bots/orders.py") as (_bot, url):
        step = step_with(url)
        closed, asking = start(step), start(step, "I would like to talk to a person")
        work()
        write(closed, "Goodbye")
        work()
        assert reload(closed).close_reason == CloseReason.BOT_ENDED
        assert said(closed)[-1] == "Goodbye!"
        assert reload(asking).status == Status.QUEUED


@pytest.mark.usefixtures("signed_today")
def test_a_request_with_another_secret_is_refused_by_the_example() -> None:
    with process("examples/bots/orders.py") as (_bot, url):
        step = step_with(url)
        BotEndpoint.objects.update(secret=BotEndpoint(secret="whsec_b3RoZXI=").secret)
        conversation = start(step)
        work()
        assert said(conversation) == []
        assert ProgramRun.objects.get().last_fault == Fault.STATUS


def test_events_have_the_described_form(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    answers = [{"type": "choices", "text": "Which?", "choices": ["Lamps", "Talk to an agent"]}]

    def answer(request: program_calls.Request, **_more: Any) -> Answered:
        seen.append(request.event)
        return Answered(tuple(answers))

    monkeypatch.setattr(program_calls, "send", answer)
    conversation = start(step_with("https://bot.example/"))
    work()
    for body in ("Lamps", "lamps?", "Talk to an agent"):
        write(conversation, body)
        work()
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        programs.visitor_returned([conversation.visitor_id], at=NOW + timedelta(minutes=1))
        work()
    assert [event["type"] for event in seen] == [
        "conversation.started",
        "choice.pressed",
        "message.received",
        "choice.pressed",  # the bot's own choice is not the visitor's wish for a person
        "visitor.returned",
    ]
    schema = {
        "$ref": "#/components/schemas/Event",
        "components": description()["components"],
    }
    for event in seen:
        Draft202012Validator(schema).validate(event)
    assert reload(conversation).status == Status.BOT


def test_skills_and_another_rule_are_the_programs_to_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = step_with("https://bot.example/")
    skill = SkillFactory(website=step.rule.website, name="Dutch")
    actions = ({"type": "set", "skills": ["Dutch", "Magic"]}, {"type": "escalate"})
    monkeypatch.setattr(program_calls, "send", lambda *_one, **_more: Answered(actions))
    conversation = start(step)
    work()
    assert reload(conversation).status == Status.QUEUED
    assert conversation.required_skills == [skill.pk]


# --- A bot that does each wrong thing ------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "fault", "attempts"),
    [
        ("slow", Fault.TIMEOUT, 3),
        ("drips", Fault.TIMEOUT, 3),
        ("drips_headers", Fault.TIMEOUT, 3),
        ("wrong_json", Fault.INVALID, 3),
        ("garbage", Fault.INVALID, 3),
        ("fails", Fault.STATUS, 3),
        ("large", Fault.TOO_LARGE, 3),
        ("redirects", Fault.REDIRECT, 1),
    ],
)
def test_a_bot_that_does_wrong_is_asked_again_and_then_people_take_over(
    wrong: tuple[subprocess.Popen[str], str], path: str, fault: Fault, attempts: int
) -> None:
    bot, url = wrong
    conversation = start(step_with(f"{url}/{path}"))
    began = time.monotonic()
    give_up(conversation)
    assert time.monotonic() - began < 1.9 * attempts + 2
    assert bot.stdout is not None
    requests = [bot.stdout.readline().split() for _ in range(attempts)]
    assert {one[0] for one in requests} == {f"/{path}"}  # and no redirect was followed
    assert len({one[1] for one in requests}) == 1  # the same id each time
    assert reload(conversation).status == Status.QUEUED
    assert conversation.events.last().data["reason"] == fault
    figures = outcomes.program_figures_of(conversation.rule.bot)
    assert figures.faults == {fault: 1}
    assert BotEndpoint.objects.get().failures == 1


def test_a_bot_that_is_down_passes_its_visitor_to_people() -> None:
    conversation = start(step_with("http://127.0.0.1:9/"))
    give_up(conversation)
    assert reload(conversation).events.last().data["reason"] == Fault.UNREACHABLE


def test_a_private_address_is_never_called(settings: Any) -> None:
    settings.PROVIDERS_MAY_BE_PRIVATE = False
    with process("tests/routing/bots/wrong_bot.py") as (bot, url):
        conversation = start(step_with(f"{url}/silent"))
        work()
        bot.terminate()
        assert bot.stdout is not None
        assert bot.stdout.read() == ""
    assert reload(conversation).events.last().data["reason"] == Fault.FORBIDDEN


def test_people_take_over_at_the_deadline_from_a_bot_that_says_nothing(
    wrong: tuple[subprocess.Popen[str], str],
) -> None:
    bot, url = wrong
    step = step_with(f"{url}/silent")
    BotEndpoint.objects.update(answer_seconds=20)
    conversation = start(step)
    work()
    assert bot.stdout is not None
    bot.stdout.readline()
    assert reload(conversation).deadline_at == NOW + timedelta(seconds=20)
    deadlines.enforce(conversation.pk, at=NOW + timedelta(seconds=21))
    work()
    assert reload(conversation).status == Status.QUEUED
    assert ProgramRun.objects.get().fault == Fault.NO_ANSWER


def test_without_room_people_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    step = step_with("https://bot.example/", places=1)
    monkeypatch.setattr(
        program_calls, "send", lambda *_one, **_more: Answered(fault=Fault.REDIRECT)
    )
    conversation = start(step)
    queued(step)
    work()
    assert reload(conversation).deadline_kind == DeadlineKind.BOT_SILENCE
    assert "queue is full" in said(conversation)[-1]
    RuleStep.objects.update(places=5)
    write(conversation, "Hello?")
    work()
    assert reload(conversation).status == Status.QUEUED
    assert conversation.events.last().data["reason"] == Fault.REDIRECT


# --- Paused --------------------------------------------------------------------------------------


def test_five_failures_in_a_row_pause_a_bot_and_inform_its_owner(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    step = step_with("https://bot.example/", places=20)
    faults = [Fault.REDIRECT] * 4 + [None] + [Fault.REDIRECT] * 5
    monkeypatch.setattr(program_calls, "send", lambda *_one, **_more: Answered(fault=faults.pop(0)))
    for number in range(10):
        assert start(step).status == Status.BOT, number
        work()
    assert [one.to for one in mail.outbox] == [["owner@example.com"]]
    assert "https://bot.example/" in mail.outbox[0].body
    bot = Bot.objects.get()
    assert bot.paused_at == NOW
    assert start(step).status == Status.QUEUED  # straight to people
    client.force_login(UserFactory(role=Role.ADMIN))
    listed = reverse("admin:routing_bot_changelist")
    assert "paused" in client.get(listed).content.decode()
    client.post(listed, {"action": "resume", "_selected_action": [bot.pk]})
    assert start(step).status == Status.BOT
    assert BotEndpoint.objects.get().failures == 0


def test_a_conversation_that_a_paused_bot_still_has_goes_to_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program_calls, "send", lambda *_one, **_more: pytest.fail("asked"))
    conversation = start(step_with("https://bot.example/"))
    Bot.objects.update(paused_at=NOW)
    work()
    assert reload(conversation).events.last().data["reason"] == Fault.PAUSED


# --- Races ---------------------------------------------------------------------------------------


def test_an_answer_that_comes_after_an_agent_took_over_is_refused_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    step = step_with("https://bot.example/")
    agent = AgentFactory()
    step.group.members.add(agent)
    connect(agent)
    conversation = start(step)

    def answer(*_one: Any, **_more: Any) -> Answered:
        assert programs.escalation.escalate(conversation.pk, at=NOW)
        return Answered(({"type": "message", "text": "late"}, {"type": "close"}))

    monkeypatch.setattr(program_calls, "send", answer)
    work()
    assert reload(conversation).status == Status.ACTIVE
    assert "late" not in said(conversation)
    assert ProgramRun.objects.get().late_answers == 1
    assert outcomes.program_figures_of(step.rule.bot).refused == 1
    assert "came too late and was refused" in caplog.text


def test_two_messages_at_once_are_two_events_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    under_way: list[int] = [0]

    def answer(request: program_calls.Request, **_more: Any) -> Answered:
        under_way[0] += 1
        assert under_way[0] == 1
        body = request.event["data"]["message"]["body"]
        asked.append(body)
        time.sleep(0.02)  # as long as a request takes
        under_way[0] -= 1
        return Answered(({"type": "message", "text": f"re: {body}"},))

    monkeypatch.setattr(program_calls, "send", answer)
    conversation = start(step_with("https://bot.example/"))
    write(conversation, "one")
    write(conversation, "two")
    together(*[lambda: programs.deliver(conversation_id=conversation.pk)] * 4)
    assert asked == ["Hi", "one", "two"]
    assert said(conversation) == ["re: Hi", "re: one", "re: two"]


def test_a_killed_worker_sends_the_event_again_with_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids: list[str] = []

    def die(request: program_calls.Request, **_more: Any) -> Answered:
        ids.append(request.id)
        if len(ids) == 1:
            raise SystemExit("killed")
        return Answered(({"type": "message", "text": "Hello"},))

    monkeypatch.setattr(program_calls, "send", die)
    conversation = start(step_with("https://bot.example/"))
    with pytest.raises(SystemExit):
        programs.deliver(conversation_id=conversation.pk)
    programs.deliver(conversation_id=conversation.pk)
    assert len(ids) == 1  # somebody may still be at it
    later(conversation, 16)
    assert len(ids) == 2
    assert ids[0] == ids[1]
    assert said(conversation) == ["Hello"]


def test_an_answer_after_the_reservation_expired_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conversation = start(step_with("https://bot.example/"))

    def answer(*_one: Any, **_more: Any) -> Answered:
        monkeypatch.setattr(
            program_calls,
            "send",
            lambda *_one, **_more: Answered(({"type": "message", "text": "2"},)),
        )
        later(conversation, 16)
        return Answered(({"type": "message", "text": "1"},))

    monkeypatch.setattr(program_calls, "send", answer)
    programs.deliver(conversation_id=conversation.pk)
    assert said(conversation) == ["2"]
