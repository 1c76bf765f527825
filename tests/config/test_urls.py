"""One login and one logout for everything: the administration has none of its own."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from accounts.models import Role
from routing import presence
from tests.clock import NOW
from tests.factories import AgentFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_admin_login_redirects_to_the_login_page() -> None:
    answer = Client().get("/admin/login/", {"next": "/admin/routing/"})
    assert answer["Location"] == "/login/?next=/admin/routing/"


def test_the_administration_is_not_found_for_agents() -> None:
    client = Client()
    client.force_login(AgentFactory().user)
    assert client.get("/admin/", follow=True).status_code == 404


def test_admin_logout_leaves_the_desk() -> None:
    agent = AgentFactory(user=UserFactory(role=Role.ADMIN))
    agent.channels.update(is_available=True)
    presence.connect(agent.pk, uuid.uuid4(), at=NOW)
    assert presence.is_connected(agent.pk, NOW)
    client = Client()
    client.force_login(agent.user)
    client.post("/admin/logout/")
    assert not agent.channels.filter(is_available=True).exists()
    assert not presence.is_connected(agent.pk, NOW)
