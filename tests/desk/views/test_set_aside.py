"""Unsent text is asked about before a conversation leaves the desk (C72)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations.agents import drafts
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, Conversation, Style
from routing.actions import assignment, by_agent
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
VERBS = ["close", "pending", "on-hold"]


@pytest.fixture
def answered(step: RuleStep, agent: Agent) -> Conversation:
    conversation = on_desk(step, agent, style=Style.SOCIAL, solved_window=timedelta(days=1))
    sending.add(
        conversation.pk,
        author=Author.AGENT,
        body="Hello",
        client_id=uuid.uuid4(),
        at=NOW,
    )
    return conversation


def post(browser: Browser, agent: Agent, number: int, verb: str, **data: Any) -> Any:
    return browser(agent.user).post(f"/desk/c/{number}/{verb}/", data)


def status(conversation: Conversation) -> str:
    return Conversation.objects.get(pk=conversation.pk).status


def is_question(answer: Any) -> bool:
    return answer.status_code == 200 and answer.get("HX-Retarget") == "#dialog-body"


@pytest.mark.parametrize("verb", VERBS)
def test_setting_aside_asks_about_a_stored_draft(
    browser: Browser, agent: Agent, answered: Conversation, verb: str
) -> None:
    drafts.save(agent.pk, answered.pk, "It <b>costs</b> 40", at=NOW)
    answer = post(browser, agent, answered.pk, verb)
    assert is_question(answer)
    assert "It &lt;b&gt;costs&lt;/b&gt; 40" in answer.content.decode()
    assert status(answered) == Status.ACTIVE
    assert post(browser, agent, answered.pk, verb, confirmed="on").status_code == 204
    assert drafts.of(agent.pk, answered.pk) == "It <b>costs</b> 40"  # nothing is discarded


@pytest.mark.parametrize("verb", VERBS)
def test_submitted_draft_overrides_the_stored_draft(
    browser: Browser, agent: Agent, answered: Conversation, verb: str
) -> None:
    assert is_question(post(browser, agent, answered.pk, verb, draft="typed just now"))
    drafts.save(agent.pk, answered.pk, "deleted a second ago", at=NOW)
    assert post(browser, agent, answered.pk, verb, draft=" ").status_code == 204


@pytest.mark.parametrize("style", [Style.LIVE, Style.SOCIAL])
def test_closing_unanswered_asks_for_confirmation(
    browser: Browser, step: RuleStep, agent: Agent, style: Style
) -> None:
    conversation = on_desk(step, agent, style=style, solved_window=timedelta(days=1))
    answer = post(browser, agent, conversation.pk, "close")
    assert is_question(answer)
    assert "No one has answered this visitor yet." in answer.content.decode()
    assert status(conversation) == Status.ACTIVE


ASIDE = [*VERBS, "snooze"]
SNOOZE = {"duration": "3h", "warned": "on"}


def write(conversation: Conversation, author: Author) -> int:
    """Add a message; return its number."""
    sent = sending.add(conversation.pk, author=author, body="Wait!", client_id=uuid.uuid4(), at=NOW)
    return int(sent.frame["seq"])


@pytest.mark.parametrize("verb", ASIDE)
def test_conversation_with_unseen_message_is_not_set_aside(
    browser: Browser, agent: Agent, answered: Conversation, verb: str
) -> None:
    """C81: refused once, with a sentence; the next click confirms that it was shown."""
    Conversation.objects.filter(pk=answered.pk).update(is_asynchronous=True)
    seen = Conversation.objects.get(pk=answered.pk).last_seq
    new = write(answered, Author.VISITOR)
    form = {"confirmed": "on", **SNOOZE}
    answer = post(browser, agent, answered.pk, verb, seen=seen, **form)
    assert answer.status_code == 409
    message = json.loads(answer["HX-Trigger"])["desk:refused"]["message"]
    assert message.startswith("The visitor has just written. Read the message before you ")
    assert status(answered) == Status.ACTIVE
    assert post(browser, agent, answered.pk, verb, seen=new, **form).status_code == 204
    assert status(answered) != Status.ACTIVE


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30, "1e3", None])
def test_missing_or_invalid_seen_number_is_ignored(
    browser: Browser, agent: Agent, answered: Conversation, seen: str | None
) -> None:
    write(answered, Author.VISITOR)
    form = {} if seen is None else {"seen": seen}
    assert post(browser, agent, answered.pk, "close", confirmed="on", **form).status_code == 204


def test_only_visitor_messages_have_to_be_seen(
    browser: Browser, agent: Agent, answered: Conversation
) -> None:
    seen = write(answered, Author.VISITOR)
    write(answered, Author.SYSTEM)
    assert post(browser, agent, answered.pk, "close", seen=seen).status_code == 204


def test_dialog_keeps_the_seen_number_of_its_request(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    seen = write(conversation, Author.VISITOR)
    new = write(conversation, Author.VISITOR)
    question = post(browser, agent, conversation.pk, "close", seen=seen)
    assert is_question(question)
    assert f'name="seen" value="{seen}"' in question.content.decode()
    fresh = browser(agent.user).get(f"/desk/c/{conversation.pk}/close/").content.decode()
    assert f'name="seen" value="{new}"' in fresh
    listed = browser(agent.user).get("/logout/", headers={"HX-Request": "true"}).content.decode()
    assert f'name="seen" value="{new}"' in listed
    assert "Wait!" in listed


@pytest.mark.parametrize("verb", VERBS)
def test_opening_the_dialog_changes_nothing(
    browser: Browser, agent: Agent, answered: Conversation, verb: str
) -> None:
    assert browser(agent.user).get(f"/desk/c/{answered.pk}/{verb}/").status_code == 200
    assert status(answered) == Status.ACTIVE


def test_an_answered_conversation_is_closed_at_once(
    browser: Browser, agent: Agent, answered: Conversation
) -> None:
    answer = post(browser, agent, answered.pk, "close")
    assert answer.status_code == 204
    assert "undo" in json.loads(answer["HX-Trigger"])["desk:notice"]


def test_snooze_and_transfer_dialogs_show_the_draft(
    browser: Browser, agent: Agent, answered: Conversation
) -> None:
    drafts.save(agent.pk, answered.pk, "half an answer", at=NOW)
    client = browser(agent.user)
    for verb in ("snooze", "transfer"):
        shown = client.get(f"/desk/c/{answered.pk}/{verb}/").content.decode()
        assert "half an answer</blockquote>" in shown
        assert "Send to the visitor first" in shown


def test_draft_is_passed_to_the_next_agent_until_a_reply(
    browser: Browser, step: RuleStep, agent: Agent, answered: Conversation
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    later = NOW + timedelta(minutes=1)
    drafts.save(agent.pk, answered.pk, "It <b>costs</b> 40", at=later)
    by_agent.transfer(answered.pk, user=agent.user, to=colleague, at=later)
    assignment.take(answered.pk, user=colleague.user, at=later)
    address = f"/desk/c/{answered.pk}/"
    begun = "It &lt;b&gt;costs&lt;/b&gt; 40"
    assert begun in browser(colleague.user).get(address).content.decode()
    sending.add(
        answered.pk,
        author=Author.AGENT,
        body="It costs 40.",
        client_id=uuid.uuid4(),
        at=later + timedelta(minutes=1),
    )
    assert begun not in browser(colleague.user).get(address).content.decode()
