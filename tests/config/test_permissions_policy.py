"""Which pages may use the microphone, the camera and the screen: only those with calls."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Website
from tests.factories import AgentFactory, StepFactory

pytestmark = pytest.mark.django_db
ALLOWED = "microphone=(self), camera=(self), display-capture=(self)"
FORBIDDEN = "microphone=(), camera=(), display-capture=()"


@pytest.fixture
def website(db: None) -> Website:
    cache.clear()
    website: Website = StepFactory(rule__website__key="celeste").rule.website
    return website


def policy_of(client: Client, path: str) -> str:
    return str(client.get(path)["Permissions-Policy"])


def set_calls(website: Website, kind: str) -> None:
    website.calls = kind
    website.save()


def test_the_messenger_of_a_website_with_calls(website: Website) -> None:
    assert policy_of(Client(), "/messenger/celeste/") == FORBIDDEN
    set_calls(website, "voice")
    assert policy_of(Client(), "/messenger/celeste/") == ALLOWED


def test_the_pages_of_agents_of_a_website_with_calls(website: Website) -> None:
    agent = AgentFactory()
    website.groups.get().members.add(agent)
    client = Client()
    client.force_login(agent.user)
    for path in ("/desk/", "/guide/"):
        set_calls(website, "off")
        assert policy_of(client, path) == FORBIDDEN
        set_calls(website, "video")
        assert policy_of(client, path) == ALLOWED


def test_pages_without_calls_forbid_camera_and_microphone(website: Website) -> None:
    set_calls(website, "video")
    stranger = Client()
    stranger.force_login(AgentFactory().user)
    assert policy_of(stranger, "/desk/") == FORBIDDEN
    assert policy_of(Client(), "/login/") == FORBIDDEN


def test_the_demo_shop_lets_the_messenger_have_them(website: Website) -> None:
    assert policy_of(Client(), "/demo/") == ALLOWED
