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


def heard_again(client: Client, desk: uuid.UUID, *, at: datetime = LATER) -> bool:
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


def test_a_desk_that_was_heard_is_heard_again(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    assert heard_again(client, desk)
    assert DeskConnection.objects.get(pk=desk).heard_at == LATER


def test_a_desk_that_was_given_up_needs_the_whole_check(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    late = NOW + presence.GRACE
    assert not heard_again(client, desk, at=late)
    assert DeskConnection.objects.get(pk=desk).heard_at == NOW


def test_a_closed_socket_is_not_brought_back(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    presence.disconnect(desk, at=NOW)
    assert not heard_again(client, desk)


def test_a_lost_agent_is_announced_before_they_count(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    DeskPresence.objects.filter(agent=agent).update(is_connected=False)
    assert not heard_again(client, desk)
    assert presence.record_heartbeat(desk, at=LATER)
    assert DeskPresence.objects.get(agent=agent).is_connected


def test_a_session_that_ended_is_noticed(client: Client, agent: Agent) -> None:
    desk = connect(agent, at=NOW)
    assert client.session[SESSION_KEY]
    client.session.flush()
    assert not heard_again(client, desk)


def test_nobody_speaks_for_a_desk_that_is_not_there(client: Client, agent: Agent) -> None:
    assert not heard_again(client, uuid.uuid4())
