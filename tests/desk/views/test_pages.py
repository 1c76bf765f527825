"""Pages and fragments of the desk: content, access and number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.models import Agent, User
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Attachment, Author, Message
from desk import queries, state_boxes
from desk.rights import rights_of
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, UserFactory, connect, in_status, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def test_conversation_is_a_page_or_a_fragment_for_htmx(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    address = f"/desk/c/{on_desk(step, agent).pk}/"
    fragment = browser(agent.user).get(address).content.decode()
    page = browser(agent.user).get(address, headers={"HX-Request": ""}).content.decode()
    assert "<html" not in fragment
    assert 'id="toolbar"' in fragment
    assert "<html" in page
    assert 'id="toolbar"' in page


@pytest.mark.parametrize("path", ["", "messages-of-nobody/"])
def test_conversation_of_another_group_is_not_found(
    browser: Browser, step: RuleStep, agent: Agent, path: str
) -> None:
    stranger = AgentFactory()
    number = on_desk(step, agent).pk
    assert browser(stranger.user).get(f"/desk/c/{number}/{path}").status_code == 404


def test_pages_and_fragments_redirect_to_the_login() -> None:
    page = Client().get("/desk/snoozed/")
    assert page.status_code == 302
    assert page["Location"] == "/login/?next=%2Fdesk%2Fsnoozed%2F"
    fragment = Client(headers={"HX-Request": "true"}).get("/desk/boxes/")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/login/")


@pytest.mark.parametrize("count", [1, 3])
def test_boxes_take_a_constant_number_of_queries(
    step: RuleStep, agent: Agent, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        on_desk(step, agent)
    with django_assert_num_queries(1):
        boxes, assigned = state_boxes.boxes(agent)
    assert (len(boxes), assigned) == (count, [])


def test_assigned_conversations_are_separate_from_boxes(step: RuleStep, agent: Agent) -> None:
    first = on_desk(step, agent)
    second = in_status(Status.ASSIGNED, step, agent)
    boxes, assigned = state_boxes.boxes(agent)
    assert [(box.number, box.waits, box.is_online) for box in boxes] == [(first.pk, False, False)]
    assert [box.number for box in assigned] == [second.pk]


def test_box_shows_last_message_and_waiting_time(step: RuleStep, agent: Agent) -> None:
    colleague = AgentFactory(display_name="Bruno")
    number = on_desk(step, agent).pk

    def say(author: Author, body: str, minutes: int, **more: Any) -> None:
        at = NOW + timedelta(minutes=minutes)
        sending.add(number, author=author, body=body, client_id=uuid.uuid4(), at=at, **more)

    def box() -> Any:
        [[shown], _assigned] = state_boxes.boxes(agent)
        return shown

    assert (box().last_message, box().waits_since) == (None, None)
    say(Author.VISITOR, "La lampe est arrivée cassée.", 1)
    say(Author.VISITOR, "x" * 500, 2)
    assert (box().last_message.by, box().last_message.text) == ("visitor", "x" * 160)
    assert box().waits_since == NOW + timedelta(minutes=1)  # the first message without an answer
    say(Author.AGENT, "Je regarde.", 3)
    assert (box().last_message.by, box().last_message.text, box().waits_since) == (
        "me",
        "Je regarde.",
        None,
    )
    say(Author.SYSTEM, "Merci de votre visite.", 4)
    assert box().last_message.text == "Je regarde."
    Message.objects.filter(conversation=number, seq=3).update(agent=colleague)
    assert (box().last_message.by, box().last_message.name) == ("agent", "Bruno")


def test_a_file_without_text_is_shown_by_its_name(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    file = Attachment.objects.create(
        id=uuid.uuid4(),
        conversation=conversation,
        name="facture.pdf",
        size=10,
        created_at=NOW,
    )
    message = {"author": "visitor", "body": "", "attachment": file, "created_at": NOW}
    Message.objects.create(conversation=conversation, seq=1, client_id=uuid.uuid4(), **message)
    [[box], _assigned] = state_boxes.boxes(agent)
    assert (box.last_message.text, box.last_message.is_file) == ("facture.pdf", True)
    shown = browser(agent.user).get("/desk/boxes/").content.decode()
    assert "paperclip" in shown
    assert "facture.pdf" in shown


def test_visitor_alias_is_the_same_everywhere(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    """R173 and C67: the same alias in boxes, thread, lists and search, and never the canned one."""
    conversation = on_desk(step, agent)
    asleep = in_status(Status.SNOOZED, step, agent)
    client = browser(agent.user)
    for language in ("en", "fr"):
        client.cookies["django_language"] = language
        with translation.override(language):
            names = [one.visitor.shown_name for one in (conversation, asleep)]
        for path, name in (
            ("/desk/boxes/", names[0]),
            (f"/desk/c/{conversation.pk}/", names[0]),
            (f"/desk/c/{conversation.pk}/block/", names[0]),
            (f"/desk/find/?q=%23{conversation.pk}", names[0]),
            ("/desk/snoozed/", names[1]),
        ):
            page = client.get(path).content.decode()
            assert name in page, (language, path)
            assert conversation.visitor.public_id.hex[:8] not in page


def test_snoozed_tab_lists_kept_and_team_conversations(step: RuleStep, agent: Agent) -> None:
    snoozed = in_status(Status.SNOOZED, step, agent, keep=True)
    left = in_status(Status.SNOOZED, step, agent, keep=False)
    elsewhere = StepFactory(rule=step.rule)
    in_status(Status.SNOOZED, elsewhere, AgentFactory(), keep=False)
    assert [row.number for row in queries.kept_by(agent)] == [snoozed.pk]
    assert [row.number for row in queries.left_to_team(agent)] == [left.pk]
    assert queries.snoozed_count(agent) == 2


def test_a_status_button_is_full_at_its_last_slot(step: RuleStep, agent: Agent) -> None:
    states = []
    for _ in range(3):
        on_desk(step, agent)
        [button] = queries.status_buttons(agent)
        states.append((button.state, button.active, button.slots))
    assert states == [("available", 1, 3), ("available", 2, 3), ("full", 3, 3)]


RIGHTS = {
    Status.BOT: set(),
    Status.QUEUED: set(),
    Status.ASSIGNED: {"take", "transfer"},
    Status.ACTIVE: {"reply", "snooze", "pause", "transfer", "block"},
    Status.SNOOZED: {"wake"},
    Status.PENDING: {"resume"},
    Status.ON_HOLD: {"resume"},
    Status.SOLVED: {"resume"},
    Status.CLOSED: set(),
}


@pytest.mark.parametrize("status", list(Status))
def test_agent_rights_depend_on_the_state(step: RuleStep, agent: Agent, status: Status) -> None:
    conversation = in_status(status, step, agent)
    rights = rights_of(conversation, agent.user, agent, at=NOW)
    # Why a customer wrote is often known late: tags can be changed in every state.
    offered = {name for name in rights.__slots__ if getattr(rights, name)}
    assert offered == RIGHTS[status] | {"tag"}


@pytest.mark.parametrize("status", [s for s in Status if s != Status.SNOOZED])
def test_a_colleague_has_no_rights_to_what_is_not_snoozed(
    step: RuleStep, agent: Agent, status: Status
) -> None:
    colleague = AgentFactory()
    step.group.members.add(colleague)
    rights = rights_of(in_status(status, step, agent), colleague.user, colleague, at=NOW)
    assert {name for name in rights.__slots__ if getattr(rights, name)} == {"tag"}


def test_release_is_disabled_while_the_agent_is_connected(
    browser: Browser, step: RuleStep, agent: Agent, manager: User
) -> None:
    connect(agent, at=timezone.now())
    number = on_desk(step, agent).pk
    shown = browser(manager).get(f"/desk/c/{number}/").content.decode()
    assert "Release" in shown
    assert "disabled" in shown
    assert "You can release a conversation only when its agent is not connected." in shown


def test_javascript_page_address_is_not_linked(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    conversation.page_url = "javascript:alert(1)//"
    conversation.save()
    shown = browser(agent.user).get(f"/desk/c/{conversation.pk}/").content.decode()
    assert 'href="javascript' not in shown


def test_visitor_name_is_escaped(browser: Browser, step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    conversation.visitor.name = "<b hx-get=/desk/>x</b>"
    conversation.visitor.save()
    for path in ("/desk/boxes/", f"/desk/c/{conversation.pk}/"):
        assert "<b hx-get" not in browser(agent.user).get(path).content.decode()


def test_a_user_without_a_desk_sees_a_message(browser: Browser) -> None:
    shown = browser(UserFactory()).get("/desk/boxes/").content.decode()
    assert "No desk yet" in shown
