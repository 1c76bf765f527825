"""The replay of stored looks over HTTP: for who oversees the conversation, and on record."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Agent, Role, User
from conversations.mirroring import looks, stored_looks
from conversations.mirroring.recording import HEAD, Recording
from conversations.models import Consent, LookEnd, LookReplay, MirrorLook
from routing.models import RuleStep
from tests.clock import NOW, clock  # noqa: F401 - a fixture
from tests.factories import UserFactory, VisitorFactory, on_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def look(step: RuleStep, agent: Agent) -> MirrorLook:
    website = step.rule.website
    website.mirrors_screen, website.looks_stored_days = True, 30
    website.save()
    conversation = on_desk(step, agent, visitor=VisitorFactory(website=website, agrees=True))
    Consent.objects.update(covers_mirroring=True, covers_stored_looks=True)
    found = looks.begin(conversation.pk, agent=agent, at=NOW)
    recording = Recording()
    recording.add(b"frame", ms=7)
    assert stored_looks.store(found.pk, 1, recording.part(), at=NOW)
    looks.end(found.pk, how=LookEnd.LEFT, at=NOW)
    return found


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_manager_replays_and_it_is_recorded_when_the_frames_are_fetched(look: MirrorLook) -> None:
    boss = UserFactory(role=Role.MANAGER)
    boss.managed_groups.add(look.conversation.group)
    client = client_of(boss)
    page = client.get(f"/desk/looks/{look.pk}/")
    assert page.status_code == 200
    assert not LookReplay.objects.exists()
    frames = client.post(f"/desk/looks/{look.pk}/frames/")
    assert frames.content == HEAD.pack(7, 5) + b"frame"
    assert LookReplay.objects.get().user == boss
    listed = client.get("/admin/conversations/mirrorlook/").content.decode()
    assert f'href="/desk/looks/{look.pk}/"' in listed


def test_for_others_there_is_none(look: MirrorLook, agent: Agent) -> None:
    for user in (agent.user, UserFactory(role=Role.MANAGER)):
        client = client_of(user)
        assert client.get(f"/desk/looks/{look.pk}/").status_code == 404
        assert client.post(f"/desk/looks/{look.pk}/frames/").status_code == 404
    assert not LookReplay.objects.exists()
