"""The change feed in the API: only what its reader may see, and cursors that go on."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from conversations import feed
from conversations.messages import sending
from conversations.models import Author, FeedEntry
from tests.api_clients import with_token
from tests.clock import NOW
from tests.factories import AgentFactory, StepFactory, queued

pytestmark = pytest.mark.django_db(transaction=True)
FEED = "/api/v1/events/"


def test_a_reader_follows_what_they_may_see() -> None:
    cache.clear()
    step = StepFactory()
    agent = AgentFactory()
    step.group.members.add(agent)
    mine, foreign = queued(step), queued(StepFactory())
    for talk in (foreign, mine):
        sending.add(talk.pk, author=Author.VISITOR, body="Hi", client_id=uuid.uuid4(), at=NOW)
    client = with_token(agent.user)
    first = client.get(FEED, {"limit": 2}).json()
    assert [(one["type"], one["conversation"]) for one in first["results"]] == [("event", mine.pk)]
    assert (first["results"][0]["event"]["verb"], first["has_more"]) == ("queue", True)
    assert first["results"][0]["website"] == step.rule.website.key
    second = client.get(FEED, {"after": first["next"]}).json()
    assert [one["message"]["body"] for one in second["results"]] == ["Hi"]
    assert second["has_more"] is False
    third = client.get(FEED, {"after": second["next"]}).json()
    assert (third["results"], third["next"]) == ([], second["next"])


def test_a_limited_token_reads_only_its_websites() -> None:
    cache.clear()
    one, other = StepFactory(), StepFactory()
    agent = AgentFactory()
    for step in (one, other):
        step.group.members.add(agent)
        queued(step)
    client = with_token(agent.user, websites=[one.rule.website])
    entries = client.get(FEED).json()["results"]
    assert [entry["website"] for entry in entries] == [one.rule.website.key]


def test_cursors_are_checked() -> None:
    client = with_token(AgentFactory().user)
    assert client.get(FEED, {"after": "x"}).status_code == 400
    assert client.get(FEED, {"before": "1.1"}).status_code == 400
    begin = client.get(FEED, {"after": "now"}).json()["next"]
    queued(StepFactory())
    FeedEntry.objects.update(created_at=timezone.now() - timedelta(days=91))
    feed.purge(at=timezone.now())
    gone = client.get(FEED, {"after": "1.1"})
    assert (gone.status_code, gone.json()["code"]) == (410, "expired")
    assert begin != "now"
