"""Suggested replies through the views of the desk, and in the managers' report."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Agent, User
from conversations.canned import library
from conversations.messages import sending
from conversations.models import Author, CannedReply, SuggestionOffer, SuggestionUse
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
Browser = Callable[[User], Client]


def test_suggestion_is_decided_once_and_counted(
    browser: Browser, step: RuleStep, agent: Agent, manager: User
) -> None:
    text = "Nous livrons en deux jours."
    library.save(CannedReply(website=step.rule.website, name="Délai de livraison", body=text))
    client = browser(agent.user)
    for chosen, edited in (("0", "false"), ("0", "true"), ("", "false"), ("0", "false")):
        conversation = on_desk(step, agent)
        asked = "Quel est le délai de livraison ?"
        client_id = uuid.uuid4()
        sending.add(conversation.pk, author=Author.VISITOR, body=asked, client_id=client_id, at=NOW)
        address = f"/desk/c/{conversation.pk}/suggestions/"
        answer = client.post(address).json()
        assert answer["suggestions"] == [
            {"source": "canned", "title": "Délai de livraison", "body": text, "page": ""}
        ]
        stranger = browser(AgentFactory().user)
        assert stranger.post(address).status_code == 404
        assert stranger.post(f"{address}{answer['seq']}/", {"chosen": "0"}).status_code == 404
        assert client.get(address).status_code == 405
        assert client.post(f"{address}{answer['seq']}/", {"chosen": "²"}).status_code == 400
        for _twice in range(2):
            decided = {"chosen": chosen, "edited": edited}
            assert client.post(f"{address}{answer['seq']}/", decided).status_code == 204
        assert client.post(address).json() == {"seq": 0, "suggestions": []}
    outcomes = SuggestionOffer.objects.order_by("pk").values_list("outcome", "source")
    assert list(outcomes) == [
        (SuggestionUse.USED, "canned"),
        (SuggestionUse.EDITED, "canned"),
        (SuggestionUse.IGNORED, ""),
        (SuggestionUse.USED, "canned"),
    ]
    page = browser(manager).get("/reports/agents/?period=today").content.decode()
    assert "Accepted: 75" in page
