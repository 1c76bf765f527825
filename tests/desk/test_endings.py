"""How an agent ends work on a conversation: the closing message, the note of a transfer, a
block."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Agent, Role, User
from conversations.agents import notes
from conversations.lifecycle import actors, deadlines, verbs
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.messages.statements import AS_VISITOR
from conversations.models import Author, Block, Conversation, Person, Style, Survey
from conversations.visitors import blocks
from core.rejection import Rejected
from routing import engagement
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory, VisitorFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def post(client: Client, number: int, verb: str, **data: Any) -> Any:
    return client.post(f"/desk/c/{number}/{verb}/", data)


def now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def words(conversation: Conversation) -> list[tuple[str, str]]:
    return list(conversation.messages.values_list("author", "body"))


# --- The closing message -----------------------------------------------------------------------


@pytest.mark.parametrize("style", [Style.LIVE, Style.SOCIAL])
def test_closing_sends_the_closing_message_of_the_website(
    browser: Browser, step: RuleStep, agent: Agent, style: Style
) -> None:
    website = step.rule.website
    website.texts = {"fr": {"closing": "{brand} vous remercie. %(x)s {{ y }}"}}
    website.save()
    conversation = on_desk(step, agent, style=style, solved_window=timedelta(days=1))
    assert post(browser(agent.user), conversation.pk, "close", confirmed="on").status_code == 204
    assert words(conversation) == [("system", f"{website.name} vous remercie. %(x)s {{{{ y }}}}")]


def test_closing_message_has_a_default(browser: Browser, step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    post(browser(agent.user), conversation.pk, "close", confirmed="on")
    assert words(conversation) == [("system", "Merci de votre visite, et à bientôt\u202f!")]


def test_closing_message_is_not_a_first_reply(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    post(browser(agent.user), conversation.pk, "close", confirmed="on")
    assert now(conversation).first_human_reply_at is None
    assert not Survey.objects.exists()


def test_automatic_closure_sends_no_message(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    until = NOW + timedelta(hours=3)
    verbs.snooze(
        conversation.pk,
        until=until,
        keep=False,
        auto_close=True,
        actor=actors.agent(agent.user),
        at=NOW,
    )
    assert deadlines.enforce(conversation.pk, at=until).status == Status.CLOSED
    assert words(conversation) == []


def test_refused_closure_sends_no_message(browser: Browser, step: RuleStep, agent: Agent) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    conversation = on_desk(step, agent)
    assert post(browser(colleague.user), conversation.pk, "close").status_code == 409
    assert words(conversation) == []


# --- The note of a transfer --------------------------------------------------------------------


def test_transfer_note_is_shown_to_the_receiving_agent_only(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    other = StepFactory(rule=step.rule).group
    receiver = AgentFactory()
    other.members.add(receiver)
    conversation = on_desk(step, agent)
    client = browser(agent.user)
    answer = post(client, conversation.pk, "transfer", group=other.pk, note="<b>Wants</b> a refund")
    assert answer.status_code == 204
    shown = browser(receiver.user).get(f"/desk/c/{conversation.pk}/").content.decode()
    assert "&lt;b&gt;Wants&lt;/b&gt; a refund" in shown
    assert "visible only to the team" in shown
    assert words(conversation) == []
    assert [(n.agent, n.created_at) for n in notes.of(conversation.pk)] == [(agent, NOW)]


def test_refused_transfer_returns_the_note_without_storing_it(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    colleague = AgentFactory(display_name="Bruno")
    step.group.members.add(colleague)
    conversation = on_desk(step, agent)
    client = browser(agent.user)
    assert "Bruno" in client.get(f"/desk/c/{conversation.pk}/transfer/").content.decode()
    step.group.members.remove(colleague)
    answer = post(client, conversation.pk, "transfer", agent=colleague.pk, note="in English")
    assert answer.status_code == 422
    assert "no longer available" in answer.content.decode()
    assert "in English</textarea>" in answer.content.decode()
    assert not notes.of(conversation.pk).exists()


def test_agent_without_slots_cannot_receive_a_transfer(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    for_calls = AgentFactory(display_name="Carla", slots=0)
    step.group.members.add(for_calls)
    conversation = on_desk(step, agent)
    client = browser(agent.user)
    assert "Carla" not in client.get(f"/desk/c/{conversation.pk}/transfer/").content.decode()
    assert post(client, conversation.pk, "transfer", agent=for_calls.pk).status_code == 422
    assert now(conversation).status == Status.ACTIVE


def test_long_note_is_refused_and_returned_in_full(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    other = StepFactory(rule=step.rule).group
    conversation = on_desk(step, agent)
    note = "x" * (notes.BODY_LIMIT + 1)
    answer = post(browser(agent.user), conversation.pk, "transfer", group=other.pk, note=note)
    assert answer.status_code == 422
    assert note in answer.content.decode()


# --- Blocking ----------------------------------------------------------------------------------


def block(client: Client, conversation: Conversation, **form: Any) -> Any:
    return post(client, conversation.pk, "block", **{"reason": "insults", "term": "7d"} | form)


def may_write(conversation: Conversation) -> bool:
    """Return whether the visitor may write. The hot path's statement and the path that moves a
    paused conversation must agree."""
    values = {
        "conversation": conversation.public_id,
        "token_hash": conversation.visitor.token_hash,
        "client_id": uuid.uuid4(),
        "author": "visitor",
        "body": "hello",
        "at": NOW,
        "reactions": [],
        "translating": [],
    }
    with connection.cursor() as cursor:
        cursor.execute(AS_VISITOR[False], values)
        by_statement = cursor.fetchone() is not None
    try:
        sending.add(
            conversation.pk, author=Author.VISITOR, body="hello", client_id=uuid.uuid4(), at=NOW
        )
        by_verb = True
    except Rejected:
        by_verb = False
    assert by_statement == by_verb
    return by_verb


def test_block_closes_without_message_or_survey(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    assert block(browser(agent.user), conversation).status_code == 204
    closed = now(conversation)
    assert (closed.status, closed.close_reason, closed.closed_by) == ("closed", "blocked", "agent")
    assert closed.contacts.get().end_reason == "blocked"
    assert words(conversation) == []
    assert not Survey.objects.exists()
    stored = Block.objects.get()
    assert (stored.visitor, stored.reason, stored.blocked_by) == (
        conversation.visitor,
        "insults",
        agent.user,
    )
    assert stored.until == NOW + timedelta(days=7)


def test_block_needs_a_reason(browser: Browser, step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    answer = block(browser(agent.user), conversation, reason="  ")
    assert answer.status_code == 422
    assert "Enter a reason" in answer.content.decode()
    assert now(conversation).status == Status.ACTIVE


def test_agent_cannot_block_from_a_colleagues_desk(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    conversation = on_desk(step, agent)
    assert block(browser(colleague.user), conversation).status_code == 409
    assert not Block.objects.exists()


def test_blocked_visitor_can_start_again_after_the_term(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    block(browser(agent.user), conversation, term="1d")
    begin = {
        "body": "again",
        "page_url": "",
        "language": "fr",
    }
    with pytest.raises(Rejected) as refused:
        engagement.start(conversation.visitor, **begin, client_id=uuid.uuid4(), at=NOW)
    assert (refused.value.code, refused.value.status) == ("blocked", 403)
    later = NOW + timedelta(days=1)
    engagement.start(conversation.visitor, **begin, client_id=uuid.uuid4(), at=later)


def test_block_applies_to_all_browsers_of_the_person(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    website = step.rule.website
    person = Person.objects.create(website=website, external_id="c-1", created_at=NOW)
    phone, laptop = (VisitorFactory(website=website, person=person) for _ in range(2))
    other = on_desk(step, agent, visitor=laptop)
    block(browser(agent.user), on_desk(step, agent, visitor=phone))
    assert not may_write(other)
    assert may_write(on_desk(step, agent))


@pytest.mark.parametrize("is_on", [True, False])
def test_block_applies_to_the_address_only_if_enabled(
    browser: Browser, step: RuleStep, agent: Agent, is_on: bool
) -> None:
    website = step.rule.website
    website.blocks_addresses = is_on
    website.save()
    here, there, elsewhere = (VisitorFactory(website=website) for _ in range(3))
    for visitor, address in ((here, "192.0.2.1"), (there, "192.0.2.1"), (elsewhere, "192.0.2.9")):
        blocks.remember_address(visitor, address)
    assert "192.0.2" not in here.address_hash
    assert bool(here.address_hash) == is_on
    neighbour = on_desk(step, agent, visitor=there)
    block(browser(agent.user), on_desk(step, agent, visitor=here))
    assert may_write(neighbour) is not is_on
    assert may_write(on_desk(step, agent, visitor=elsewhere))


def test_a_new_key_lifts_no_block_of_an_address(
    browser: Browser, step: RuleStep, agent: Agent, settings: Any
) -> None:
    website = step.rule.website
    website.blocks_addresses = True
    website.save()
    here, there = (VisitorFactory(website=website) for _ in range(2))
    blocks.remember_address(here, "192.0.2.1")
    block(browser(agent.user), on_desk(step, agent, visitor=here))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key " * 6, [settings.SECRET_KEY]
    blocks.remember_address(there, "192.0.2.1")
    assert blocks.in_force(there, at=NOW).exists()
    blocks.remember_address(there, "192.0.2.9")
    assert not blocks.in_force(there, at=NOW).exists()
    settings.SECRET_KEY_FALLBACKS = []
    blocks.remember_address(there, "192.0.2.1")
    assert not blocks.in_force(there, at=NOW).exists()


def test_manager_can_lift_a_block_and_agent_cannot(
    browser: Browser, step: RuleStep, agent: Agent, manager: User
) -> None:
    conversation = on_desk(step, agent)
    block(browser(agent.user), conversation, term="ever")
    assert post(browser(agent.user), conversation.pk, "unblock").status_code == 404
    assert blocks.in_force(conversation.visitor, at=NOW).exists()
    shown = browser(manager).get(f"/desk/c/{conversation.pk}/").content.decode()
    assert "insults" in shown
    assert "Unblock this visitor" in shown
    assert post(browser(manager), conversation.pk, "unblock").status_code == 204
    lifted = Block.objects.get()
    assert (lifted.lifted_at, lifted.lifted_by) == (NOW, manager)
    assert not blocks.in_force(conversation.visitor, at=NOW).exists()


def test_manager_can_lift_only_blocks_of_own_websites_in_admin(
    step: RuleStep, agent: Agent, manager: User
) -> None:
    elsewhere = StepFactory()
    stranger = AgentFactory()
    elsewhere.group.members.add(stranger)
    mine, foreign = on_desk(step, agent), on_desk(elsewhere, stranger)
    for conversation in (mine, foreign):
        blocks.block(conversation, reason="spam", until=None, by=agent.user, at=NOW)
    User.objects.filter(pk=manager.pk).update(is_staff=True)
    client = Client()
    client.force_login(manager)
    numbers = list(Block.objects.values_list("pk", flat=True))
    form = {"action": "lift", "_selected_action": numbers}
    assert client.post("/admin/conversations/block/", form).status_code == 302
    lifted = Block.objects.exclude(lifted_at=None)
    assert [one.conversation for one in lifted] == [mine]
    agent_client = Client()
    agent_client.force_login(agent.user)
    assert agent_client.get("/admin/conversations/block/").status_code in {302, 404}


def test_block_list_filters_by_in_force(step: RuleStep, agent: Agent) -> None:
    at, day = timezone.now(), timedelta(days=1)
    for name, until in (("for ever", None), ("still", at + day), ("ended", at - day)):
        held = on_desk(step, agent)
        blocks.block(held, reason=name, until=until, by=agent.user, at=at - 2 * day)
    held = on_desk(step, agent)
    lifted = blocks.block(held, reason="lifted", until=None, by=agent.user, at=at)
    blocks.lift(Block.objects.filter(pk=lifted.pk), by=agent.user, at=at)
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN, is_staff=True))

    def reasons(query: str) -> set[str]:
        page = client.get(f"/admin/conversations/block/{query}")
        return {one.reason for one in page.context["cl"].result_list}

    assert reasons("?state=in_force") == {"for ever", "still"}
    assert reasons("?state=over") == {"ended", "lifted"}
    assert len(reasons("")) == 4


def test_a_blocked_visitors_first_message_is_refused_by_the_endpoint(
    step: RuleStep, agent: Agent
) -> None:
    visitor = VisitorFactory(website=step.rule.website, token="a secret", agrees=True)
    blocks.block(
        on_desk(step, agent, visitor=visitor), reason="spam", until=None, by=agent.user, at=NOW
    )
    client = Client(headers={"Authorization": "Bearer a secret"})
    refused = client.post(
        f"/messenger/{step.rule.website.key}/conversations/",
        json.dumps({"client_id": str(uuid.uuid4()), "body": "hello"}),
        content_type="application/json",
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "blocked")
