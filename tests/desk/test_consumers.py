"""A desk's heartbeat: one statement as long as nothing has changed, the whole check otherwise."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client

from accounts import desk_session
from accounts.models import Agent
from desk.consumers import HEARD_AGAIN
from routing import presence
from routing.models import DeskConnection, DeskPresence
from tests.clock import NOW
from tests.factories import connect

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LATER = NOW + timedelta(seconds=presence.BEAT)


@pytest.fixture
def client(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent.user)
    return client


def renews_heartbeat(client: Client, desk: uuid.UUID, *, at: datetime = LATER) -> bool:
    key = client.cookies["sessionid"].value
    pass_ = desk_session.load(key) or desk_session.cached(key)
    values: dict[str, Any] = {
        "session_key": key,
        "user_id": pass_.user_id if pass_ else 0,
        "password": pass_.password if pass_ else "",
        "connection": desk,
        "at": at,
        "grace": presence.GRACE,
    }
    with connection.cursor() as cursor:
        cursor.execute(HEARD_AGAIN, values)
        return cursor.fetchone() is not None


def test_connected_desk_can_renew_its_heartbeat(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    assert renews_heartbeat(client, desk)
    assert DeskConnection.objects.get(pk=desk).heard_at == LATER


def test_lost_desk_needs_the_full_check(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    late = NOW + presence.GRACE
    assert not renews_heartbeat(client, desk, at=late)
    assert DeskConnection.objects.get(pk=desk).heard_at == NOW


def test_closed_socket_cannot_be_renewed(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    presence.disconnect(desk, at=NOW)
    assert not renews_heartbeat(client, desk)


def test_lost_agent_needs_the_full_check(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    DeskPresence.objects.filter(agent=agent).update(is_connected=False)
    assert not renews_heartbeat(client, desk)
    assert presence.record_heartbeat(desk, at=LATER)
    assert DeskPresence.objects.get(agent=agent).is_connected


def test_ended_session_cannot_renew_the_heartbeat(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    assert client.session[SESSION_KEY]
    client.session.flush()
    assert not renews_heartbeat(client, desk)


def test_unknown_desk_cannot_renew_its_heartbeat(client: Client, agent: Agent) -> None:
    assert not renews_heartbeat(client, uuid.uuid4())
