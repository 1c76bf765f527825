"""Notices of unanswered conversations, and the response for a locked row."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.utils import translation

from accounts.models import Agent, AgentChannel, User
from conversations.lifecycle import deadlines
from conversations.lifecycle.transitions import EndReason, Refused, Status
from conversations.models import Contact, Conversation, Notice
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, on_desk, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def recalled(step: RuleStep, agent: Agent) -> Conversation:
    """A conversation pushed to the agent and not answered within the minute."""
    step.group.answer_seconds = 60
    step.group.save()
    conversation = on_desk(step, agent)
    return deadlines.enforce(conversation.pk, at=NOW + MINUTE)


def test_notice_of_unavailability_is_shown_until_dismissed(
    clock: time_machine.Traveller, browser: Browser, recalled: Conversation, agent: Agent
) -> None:
    clock.shift(MINUTE)
    client = browser(agent.user)
    sentence = f"#{recalled.pk} was not answered in time"
    with translation.override("en"):
        for page in ("/desk/", "/desk/boxes/"):
            assert sentence in client.get(page, headers={"Accept-Language": "en"}).text
    assert not AgentChannel.objects.get(agent=agent).is_available
    assert Contact.objects.get().end_reason == EndReason.UNANSWERED
    answer = client.post("/desk/notices/read/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert sentence not in client.get("/desk/boxes/").text
    assert Notice.objects.get().read_at is not None


def test_agent_cannot_dismiss_notice_of_another_agent(
    browser: Browser, recalled: Conversation, agent: Agent
) -> None:
    assert browser(AgentFactory().user).post("/desk/notices/read/").status_code == 200
    assert Notice.objects.get(agent=agent).read_at is None


def test_unanswered_push_returns_to_the_front_of_the_queue(step: RuleStep, agent: Agent) -> None:
    step.group.answer_seconds = 60
    step.group.save()
    conversation = on_desk(step, agent)
    older = queued(step, at=NOW - MINUTE)
    back = deadlines.enforce(conversation.pk, at=NOW + MINUTE)
    assert back.queued_at is not None
    assert older.queued_at is not None
    assert back.queued_at < older.queued_at
    assert back.is_return


def test_concurrent_answer_prevents_the_requeue(step: RuleStep, agent: Agent) -> None:
    step.group.answer_seconds = 60
    step.group.save()
    conversation = on_desk(step, agent)
    Conversation.objects.update(deadline_at=None, deadline_kind="")
    with pytest.raises(Refused):
        deadlines.enforce(conversation.pk, at=NOW + MINUTE)
    assert AgentChannel.objects.get(agent=agent).is_available
    assert not Notice.objects.exists()


def test_locked_conversation_gives_a_503_with_a_retry_message(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    client = browser(agent.user)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=conversation.pk)
            held.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        answer = client.post(
            f"/desk/c/{conversation.pk}/close/",
            {"confirmed": "on"},
            headers={"Accept-Language": "en"},
        )
    finally:
        done.set()
        thread.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "try again" in json.loads(answer["HX-Trigger"])["desk:refused"]["message"]
    conversation.refresh_from_db()
    assert conversation.status == Status.ACTIVE
