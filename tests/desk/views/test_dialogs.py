"""The address of a dialog, opened as a page, leads to its conversation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, User
from routing.models import RuleStep
from tests.factories import on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]
DIALOGS = ["close", "pending", "on-hold", "snooze", "transfer", "block", "why"]


@pytest.mark.parametrize("name", DIALOGS)
def test_dialog_opened_as_a_page_redirects_to_its_conversation(
    browser: Browser, agent: Agent, step: RuleStep, name: str
) -> None:
    number = on_desk(step, agent).pk
    path = f"/desk/c/{number}/{name}/"
    alone = browser(agent.user).get(path, headers={"sec-fetch-dest": "document"})
    assert (alone.status_code, alone.headers["Location"]) == (302, f"/desk/c/{number}/")
    fragment = browser(agent.user).get(path, headers={"sec-fetch-dest": "empty"})
    assert fragment.status_code == 200
    assert "<html" not in fragment.content.decode()
