"""Drafts and preferences of agents, stored for all of their devices."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations.agents import drafts
from conversations.models import Draft
from routing.models import RuleStep
from tests.factories import AgentFactory, UserFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def test_draft_is_available_on_another_device(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    address = f"/desk/c/{conversation.pk}/"
    for text in ("Dear <b>", "Dear <b>customer</b>,"):
        saved = browser(agent.user).post(f"{address}draft/", {"body": text})
        assert saved.status_code == 204
    elsewhere = browser(agent.user)
    assert "Dear &lt;b&gt;customer&lt;/b&gt;,</textarea>" in elsewhere.get(address).content.decode()
    elsewhere.post(f"{address}draft/", {"body": " "})
    assert not Draft.objects.exists()


def test_draft_is_visible_only_to_its_author(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    conversation = on_desk(step, agent)
    colleague, stranger = AgentFactory(), AgentFactory()
    step.group.members.add(colleague)
    address = f"/desk/c/{conversation.pk}/"
    browser(agent.user).post(f"{address}draft/", {"body": "a secret"})
    assert "a secret" not in browser(colleague.user).get(address).content.decode()
    browser(colleague.user).post(f"{address}draft/", {"body": "mine"})
    assert drafts.of(agent.pk, conversation.pk) == "a secret"
    assert browser(stranger.user).post(f"{address}draft/", {"body": "x"}).status_code == 404


def test_a_draft_too_long_to_send_is_saved(step: RuleStep, agent: Agent) -> None:
    conversation = on_desk(step, agent)
    drafts.save(agent.pk, conversation.pk, "x\x00" * drafts.LIMIT, at=conversation.opened_at)
    assert drafts.of(agent.pk, conversation.pk) == "x" * drafts.LIMIT


def test_box_size_is_remembered_on_every_device(
    browser: Browser, step: RuleStep, agent: Agent
) -> None:
    on_desk(step, agent)
    assert "Smaller boxes" in browser(agent.user).get("/desk/boxes/").content.decode()
    browser(agent.user).post("/desk/boxes/size/", {"small": "true"})
    shown = browser(agent.user).get("/desk/boxes/").content.decode()
    assert 'class="boxes small"' in shown
    assert "Larger boxes" in shown
    browser(agent.user).post("/desk/boxes/size/", {"small": "false"})
    assert "Smaller boxes" in browser(agent.user).get("/desk/boxes/").content.decode()


@pytest.mark.parametrize("path", ["boxes/size/", "c/{}/draft/"])
def test_user_without_desk_cannot_save_preferences(
    browser: Browser, step: RuleStep, agent: Agent, path: str
) -> None:
    admin = UserFactory(role="admin")
    address = f"/desk/{path}".format(on_desk(step, agent).pk)
    assert browser(admin).post(address, {"small": "true", "body": "x"}).status_code == 400


@pytest.mark.parametrize("count", [1, 2, 4])
def test_number_of_panes_is_remembered(
    browser: Browser, step: RuleStep, agent: Agent, count: int
) -> None:
    on_desk(step, agent)
    answer = browser(agent.user).post("/desk/panes/", {"panes": count})
    assert json.loads(answer["HX-Trigger"]) == {"desk:panes": count}
    page = browser(agent.user).get("/desk/", headers={"HX-Request": ""}).content.decode()
    assert f'data-panes="{count}"' in page


@pytest.mark.parametrize("count", ["3", "0", "x", ""])
def test_invalid_number_of_panes_is_refused(browser: Browser, agent: Agent, count: str) -> None:
    assert browser(agent.user).post("/desk/panes/", {"panes": count}).status_code == 400


def test_second_pane_has_no_toolbar(browser: Browser, step: RuleStep, agent: Agent) -> None:
    address, client = f"/desk/c/{on_desk(step, agent).pk}/", browser(agent.user)
    assert 'id="toolbar"' in client.get(address).content.decode()
    beside = client.get(f"{address}?beside=1").content.decode()
    toolbar = client.get(f"{address}toolbar/").content.decode()
    assert ('class="dialogue"' in beside, 'id="toolbar"' in beside) == (True, False)
    assert ('class="dialogue"' in toolbar, 'id="toolbar"' in toolbar) == (False, True)
    assert browser(AgentFactory().user).get(f"{address}toolbar/").status_code == 404
