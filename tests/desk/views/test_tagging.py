"""Tags at the desk: who may add and remove them, what is offered, and what the page shows."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.lifecycle import actors
from conversations.lifecycle.transitions import Status
from conversations.messages import sending
from conversations.models import Author, ConversationTag
from conversations.reasons import catalogue, tagging
from desk import tags as shown
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    TagFactory,
    UserFactory,
    WebsiteFactory,
    in_status,
    on_desk,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def test_agent_adds_and_removes_a_tag_and_the_page_says_so(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation, client = on_desk(step, agent), browser(agent.user)
    tag = TagFactory(website=step.rule.website, name="<Refund>", category="Money")
    url = f"/desk/c/{conversation.pk}/tags/"
    picker = client.get(url).content.decode()
    assert "&lt;Refund&gt;" in picker
    assert "Money" in picker
    answer = client.post(url, {"tag": tag.pk})
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"]) == {"desk:tagged": {"number": conversation.pk}}
    page = client.get(f"/desk/c/{conversation.pk}/").content.decode()
    assert "Tagged by Alice: &lt;Refund&gt;" in page
    assert f"{url}{tag.pk}/remove/" in page
    assert "There is no other tag to add." in client.get(url).content.decode()
    for _twice in range(2):
        assert client.post(f"{url}{tag.pk}/remove/").status_code == 204
    page = client.get(f"/desk/c/{conversation.pk}/").content.decode()
    assert "Tag removed by Alice: &lt;Refund&gt;" in page
    assert page.count("Tag removed by Alice") == 1
    assert f"{url}{tag.pk}/remove/" not in page


def test_archived_tag_is_refused_with_a_sentence(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation, tag = on_desk(step, agent), TagFactory(website=step.rule.website)
    catalogue.archive(tag, at=NOW)
    url = f"/desk/c/{conversation.pk}/tags/"
    answer = browser(agent.user).post(url, {"tag": tag.pk})
    assert answer.status_code == 409
    assert "archived" in json.loads(answer["HX-Trigger"])["desk:refused"]["message"]
    for bad in ("", "x", "-1", "9" * 30):
        assert browser(agent.user).post(url, {"tag": bad}).status_code == 400


def test_who_may_tag(browser: Browser, step: RuleStep, agent: Agent, manager: User) -> None:
    conversation = in_status(Status.CLOSED, step, agent)
    tag = TagFactory(website=step.rule.website)
    member, stranger = AgentFactory(), AgentFactory()
    step.group.members.add(member)
    reviewer, auditor = UserFactory(role=Role.REVIEWER), UserFactory(role=Role.AUDITOR)
    step.group.managers.add(reviewer)
    administrator = UserFactory(role=Role.ADMIN)
    url = f"/desk/c/{conversation.pk}/tags/"
    expected = {
        agent.user: 204,
        member.user: 204,
        manager: 204,
        administrator: 204,
        stranger.user: 404,
        reviewer: 403,
        auditor: 403,
    }
    for user, status in expected.items():
        assert browser(user).post(url, {"tag": tag.pk}).status_code == status, user
        assert browser(user).post(f"{url}{tag.pk}/remove/").status_code == status, user
        if status != 404:
            page = browser(user).get(f"/desk/c/{conversation.pk}/").content.decode()
            assert ("data-tags=" in page) is (status == 204), user
    assert not ConversationTag.objects.exists()


def test_what_is_offered_is_grouped_and_suggestions_come_first(
    step: RuleStep, agent: Agent
) -> None:
    website, actor = step.rule.website, actors.agent(agent.user)
    late = TagFactory(website=website, name="Late", category="Delivery")
    lost = TagFactory(website=website, name="Lost", category="Delivery")
    other, there = TagFactory(website=website, name="Other"), TagFactory(website=website)
    catalogue.archive(TagFactory(website=website), at=NOW)
    TagFactory(website=WebsiteFactory())

    def said(body: str) -> int:
        number = on_desk(step, agent).pk
        sending.add(number, author=Author.VISITOR, body=body, client_id=uuid.uuid4(), at=NOW)
        return number

    tagging.add(said("where is my parcel"), [late.pk], actor=actor, at=NOW)
    tagging.add(said("another subject"), [lost.pk], actor=actor, at=NOW)
    conversation = on_desk(step, agent)
    sending.add(
        conversation.pk, author=Author.VISITOR, body="My parcel?", client_id=uuid.uuid4(), at=NOW
    )
    tagging.add(conversation.pk, [there.pk], actor=actor, at=NOW)
    offered = [(one.name, one.tags) for one in shown.offered_for(conversation)]
    assert offered == [
        ("From similar conversations", [late]),
        ("Other tags", [other]),
        ("Delivery", [lost]),
    ]


def test_merge_is_no_line_between_the_messages_and_one_action_is_one_line(
    step: RuleStep, agent: Agent
) -> None:
    website, conversation = step.rule.website, on_desk(step, agent)
    first, second = TagFactory(website=website, name="A"), TagFactory(website=website, name="B")
    actor = actors.agent(agent.user)
    tagging.add(conversation.pk, [first.pk, second.pk], actor=actor, at=NOW)
    catalogue.merge(first, into=second, actor=actor, at=NOW)
    tagging.remove(conversation.pk, second.pk, actor=actors.BOT, at=NOW)
    said = [line.sentence for line in shown.lines_of(conversation.pk)]
    assert said == ["Tagged by Alice: A, B", "Tag removed: B"]


def test_visitor_never_receives_a_tag(browser: Browser, step: RuleStep, agent: Agent) -> None:
    """The Messenger's code knows no tag: no module of it imports them."""
    from pathlib import Path

    sources = Path("messenger").rglob("*.py")
    found = [
        path for path in sources if re.search(r"ConversationTag|ReasonEvent", path.read_text())
    ]
    assert found == []


def test_search_finds_by_tag_what_the_user_may_see(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    tagged, other = on_desk(step, agent), on_desk(step, agent)
    tag = TagFactory(website=step.rule.website, name="Refund")
    foreign = TagFactory(website=WebsiteFactory(), name="Foreign")
    merged = TagFactory(website=step.rule.website, name="Merged")
    tagging.add(tagged.pk, [tag.pk], actor=actors.BOT, at=NOW)
    catalogue.merge(merged, into=tag, actor=actors.SYSTEM, at=NOW)
    client = browser(agent.user)
    page = client.get("/desk/find/", {"tag": tag.pk}).content.decode()
    assert f"#{tagged.pk}" in page
    assert f"#{other.pk}" not in page
    form = Client()
    form.force_login(agent.user)
    whole = form.get("/desk/find/").content.decode()
    assert "Refund" in whole
    assert "Foreign" not in whole
    assert "Merged" not in whole
    assert "Select a valid choice" in form.get("/desk/find/", {"tag": foreign.pk}).content.decode()
