"""Canned replies through the views of the desk: who finds, uses and edits which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Agent, Change, User
from conversations.canned import library
from conversations.messages import attachments
from conversations.messages.decoder import prepare_bytes
from conversations.models import Attachment, CannedReply, Conversation
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, GroupFactory, StepFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def reply(body: str = "text", *, files: int = 0, **owner: Any) -> CannedReply:
    canned = CannedReply(name=owner.pop("name", "A reply"), body=body, **owner)
    added = [prepare_bytes(b"file %d" % n, f"{n}.txt") for n in range(files)]
    return library.save(canned, added=added)


def search_replies(client: Client, conversation: Conversation, query: str = "") -> list[int]:
    answer = client.get(f"/desk/c/{conversation.pk}/replies/", {"q": query})
    return sorted(one["id"] for one in answer.json()["replies"])


def test_agent_finds_own_group_and_website_replies(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    website = step.rule.website
    conversation, elsewhere = on_desk(step, agent), StepFactory()
    elsewhere.group.members.add(agent)
    mine = [
        reply(agent=agent),
        reply(group=step.group),
        reply(website=website),
    ]
    reply(agent=AgentFactory())
    reply(group=GroupFactory(website=website))
    reply(group=elsewhere.group)
    reply(website=elsewhere.rule.website)
    assert search_replies(browser(agent.user), conversation) == [one.pk for one in mine]
    stranger = browser(AgentFactory().user)
    assert stranger.get(f"/desk/c/{conversation.pk}/replies/").status_code == 404
    assert stranger.post(f"/desk/c/{conversation.pk}/replies/{mine[2].pk}/").status_code == 404


def test_search_ignores_accents_and_needs_every_word(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    one = reply("Délai de livraison", agent=agent)
    client = browser(agent.user)
    assert search_replies(client, conversation, "LIVRAISON delai") == [one.pk]
    assert search_replies(client, conversation, "livraison retour") == []


def test_search_takes_a_constant_number_of_queries(
    browser: Browser, step: RuleStep, agent: Agent, django_assert_num_queries: Any
) -> None:
    conversation, client = on_desk(step, agent), browser(agent.user)
    for count in (1, 6):
        for _n in range(count):
            reply(agent=agent, files=1)
        # Session, user, login rule; conversation, agent; replies, files.
        with django_assert_num_queries(8):
            assert search_replies(client, conversation)


def test_used_reply_is_filled_attaches_files_and_is_counted(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    one = reply("Hello {visitor_name}, {agent_name} of {website_name}", agent=agent, files=2)
    client = browser(agent.user)
    address = f"/desk/c/{conversation.pk}/replies/{one.pk}/"
    inserted = client.post(address).json()
    assert inserted["body"] == f"Hello, Alice of {step.rule.website.name}"
    assert inserted["missing"] == ["the visitor's name"]
    assert [file["name"] for file in inserted["attachments"]] == ["0.txt", "1.txt"]
    conversation.visitor.name = "Jeanne"
    conversation.visitor.save()
    assert client.post(address).json()["body"].startswith("Hello Jeanne, Alice")
    one.refresh_from_db()
    assert (one.uses, one.used_at) == (2, NOW)
    # Each use has files of its own: they count as the agent's uploads, and are deleted if not sent.
    assert Attachment.objects.filter(conversation=conversation, agent=agent).count() == 4
    file = one.files.get(name="0.txt").file
    assert attachments.forget(Attachment.objects.get(pk=inserted["attachments"][0]["id"])) == 1
    assert default_storage.exists(file)


def test_reply_can_be_used_only_on_own_desk(browser: Browser, step: RuleStep, agent: Agent) -> None:
    conversation, colleague = on_desk(step, agent), AgentFactory()
    step.group.members.add(colleague)
    one = reply(website=step.rule.website, files=1)
    answer = browser(colleague.user).post(f"/desk/c/{conversation.pk}/replies/{one.pk}/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_on_desk")
    assert not Attachment.objects.exists()


def form(owner: str, **given: Any) -> dict[str, Any]:
    return {"name": "Title", "owner": owner, "body": "Text", "language": ""} | given


def test_role_determines_the_possible_owners_of_a_reply(
    browser: Browser, step: RuleStep, agent: Agent, manager: User
) -> None:
    group, website = f"group-{step.group_id}", f"website-{step.rule.website_id}"
    other = f"group-{GroupFactory().pk}"
    may = {
        agent.user: {"own": 302, group: 422, website: 422},
        manager: {"own": 422, group: 302, website: 302, other: 422},
    }
    for user, expected in may.items():
        client = browser(user)
        for owner, status in expected.items():
            answer = client.post("/desk/replies/new/", form(owner))
            assert answer.status_code == status, (user.role, owner)
    owners = {(one.agent_id, one.group_id, one.website_id) for one in CannedReply.objects.all()}
    assert owners == {
        (agent.pk, None, None),
        (None, step.group_id, None),
        (None, None, step.rule.website_id),
    }
    assert set(Change.objects.values_list("actor_id", "model")) >= {
        (agent.user.pk, "conversations.cannedreply"),
        (manager.pk, "conversations.cannedreply"),
    }


def test_agent_cannot_change_replies_of_others(
    browser: Browser, step: RuleStep, agent: Agent, manager: User
) -> None:
    theirs, ours = reply("Zanzibar", agent=AgentFactory()), reply(group=step.group, name="Ours")
    client = browser(agent.user)
    page = client.get("/desk/replies/").content.decode()
    assert ("Zanzibar" in page, "Ours" in page, f"/replies/{ours.pk}/" in page) == (
        False,
        True,
        False,
    )
    for one in (theirs, ours):
        assert client.get(f"/desk/replies/{one.pk}/").status_code == 404
        assert client.post(f"/desk/replies/{one.pk}/delete/").status_code == 404
    assert f"/replies/{ours.pk}/" in browser(manager).get("/desk/replies/").content.decode()
    assert browser(manager).post(f"/desk/replies/{ours.pk}/delete/").status_code == 302
    assert list(CannedReply.objects.all()) == [theirs]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"body": "Hi {first_name}"}, "Unknown variable: {first_name}."),
        ({"body": " "}, "Enter text or attach a file."),
        ({"shortcut": "two words"}, "A shortcut must be one word"),
        ({"shortcut": "Taken"}, "Another reply already uses this shortcut."),
        ({"added": SimpleUploadedFile("x.exe", b"MZ\x00")}, "x.exe: This file type"),
    ],
)
def test_errors_are_shown_and_input_is_preserved(
    browser: Browser, agent: Agent, given: dict[str, Any], sentence: str
) -> None:
    reply(agent=agent, shortcut="taken")
    answer = browser(agent.user).post("/desk/replies/new/", form("own", name="Typed <b>", **given))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page.replace("&#x27;", "'")
    assert "Typed &lt;b&gt;" in page
    assert CannedReply.objects.count() == 1


def test_files_are_added_and_removed_with_the_reply(
    browser: Browser, agent: Agent, django_capture_on_commit_callbacks: Any
) -> None:
    client = browser(agent.user)
    more = SimpleUploadedFile("../prices.csv", b"a;b\n")
    assert client.post("/desk/replies/new/", form("own", body="", added=more)).status_code == 302
    one = CannedReply.objects.get()
    file = one.files.get()
    assert (file.name, default_storage.exists(file.file)) == ("prices.csv", True)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/desk/replies/{one.pk}/", form("own", removed=file.pk))
    assert not one.files.exists()
    assert not default_storage.exists(file.file)
