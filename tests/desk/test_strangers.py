"""Conversations of others are not found (N1): by any address of the desk, or by foreign keys in its
forms."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, ToolbarApp, User
from conversations.agents import drafts, notes
from conversations.canned import library
from conversations.messages.decoder import prepare_bytes
from conversations.models import CannedFile, CannedReply, Conversation
from desk import urls
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    StepFactory,
    UserFactory,
    in_status,
    on_desk,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
OF_A_CONVERSATION = [
    pattern.pattern for pattern in urls.urlpatterns if "<int:number>" in str(pattern.pattern)
]
SECRET = "hippopotame"


@pytest.fixture
def theirs(step: RuleStep, agent: Agent) -> Conversation:
    """A conversation of Alice's group, with everything that a stranger could want."""
    conversation = on_desk(step, agent)
    conversation.visitor.name = SECRET
    conversation.visitor.save()
    drafts.save(agent.pk, conversation.pk, SECRET, at=NOW)
    notes.write(conversation.pk, agent_id=agent.pk, body=SECRET, at=NOW)
    return conversation


def strangers(step: RuleStep) -> list[User]:
    """An agent of another group of the same website and its manager, an agent of another website
    and its manager, and a user without a desk."""
    neighbour, beside = AgentFactory(), GroupFactory(website=step.group.website)
    beside.members.add(neighbour)
    other_team = UserFactory(role="manager")
    beside.managers.add(other_team)
    AgentFactory(user=other_team)
    foreigner, elsewhere = AgentFactory(), StepFactory()
    elsewhere.group.members.add(foreigner)
    manager = UserFactory(role="manager")
    elsewhere.group.managers.add(manager)
    return [neighbour.user, other_team, foreigner.user, manager, UserFactory()]


@pytest.mark.parametrize("address", OF_A_CONVERSATION, ids=str)
def test_conversation_addresses_are_not_found_for_strangers(
    browser: Browser, step: RuleStep, theirs: Conversation, address: object
) -> None:
    path = re.sub(
        r"<int:(\w+)>", lambda hole: str(theirs.pk if hole[1] == "number" else 1), f"/{address}"
    )
    for user in strangers(step):
        for is_script in ("true", "false"):
            client = browser(user)
            for answer in (
                client.get(path, headers={"HX-Request": is_script}),
                client.post(path, {"body": "x"}, headers={"HX-Request": is_script}),
            ):
                assert answer.status_code in {404, 405}, (user.role, answer.request)
                assert SECRET not in answer.content.decode()
    theirs.refresh_from_db()
    assert theirs.agent_id is not None
    assert drafts.of(theirs.agent_id, theirs.pk) == SECRET


def test_lists_omit_conversations_of_others(
    browser: Browser, step: RuleStep, agent: Agent, theirs: Conversation
) -> None:
    snoozed = in_status("snoozed", step, agent)
    snoozed.visitor.name = SECRET
    snoozed.visitor.save()
    for user in strangers(step):
        for path in ("/desk/", "/desk/boxes/", "/desk/snoozed/", f"/desk/find/?q={SECRET}"):
            shown = browser(user).get(path).content.decode()
            assert SECRET not in shown, (user.role, path)
        assert browser(user).get("/desk/snoozed/count/").content.decode().count(">1<") == 0


def test_foreign_keys_in_forms_are_refused(browser: Browser, step: RuleStep, agent: Agent) -> None:
    mine, elsewhere = on_desk(step, agent), StepFactory()
    stranger = AgentFactory()
    elsewhere.group.members.add(stranger)
    client = browser(agent.user)
    there = elsewhere.rule.website
    reply = library.save(CannedReply(name="A", body=SECRET, website=there))
    theirs = library.save(
        CannedReply(name="B", body=SECRET, agent=stranger), added=[prepare_bytes(b"x", "x.txt")]
    )
    app = ToolbarApp.objects.create(website=there, name="Theirs", url="https://theirs.example/")
    base = f"/desk/c/{mine.pk}"
    assert client.post(f"{base}/transfer/", {"agent": stranger.pk}).status_code == 422
    assert client.post(f"{base}/transfer/", {"group": elsewhere.group_id}).status_code == 422
    assert client.get(f"{base}/apps/{app.pk}/").status_code == 404
    for one in (reply, theirs):
        assert client.post(f"{base}/replies/{one.pk}/").status_code == 404
        for path in (f"/desk/replies/{one.pk}/", f"/desk/replies/{one.pk}/delete/"):
            assert client.post(path, {"name": "x", "owner": "own", "body": "x"}).status_code == 404

    # The file of another agent's reply, named in the form of one's own.
    own = library.save(CannedReply(name="C", body="mine", agent=agent))
    file = CannedFile.objects.get(reply=theirs)
    fields = {"name": "C", "owner": "own", "body": "mine", "language": "", "removed": file.pk}
    assert client.post(f"/desk/replies/{own.pk}/", fields).status_code == 422
    assert CannedFile.objects.filter(pk=file.pk).exists()

    # Filters by what a user may not see find nothing, and reveal nothing.
    for name, pk in (("group", elsewhere.group_id), ("agent", stranger.pk)):
        shown = client.get(
            "/desk/find/", {"q": "a", name: pk}, headers={"HX-Request": "false"}
        ).content.decode()
        assert "Invalid search" in shown
        assert stranger.display_name not in shown
        assert elsewhere.group.name not in shown
    mine.refresh_from_db()
    assert mine.agent == agent
