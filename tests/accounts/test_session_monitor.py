"""A user who is no longer logged in loses their sockets within seconds, however the session ended
(N12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import desk_session, session_monitor
from accounts.desk_session import DeskSession
from accounts.models import Role, User
from accounts.session_monitor import SessionMonitor
from core.db import async_pool
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def logged_in() -> DeskSession:
    client = Client()
    client.force_login(UserFactory())
    desk = desk_session.load(client.cookies["sessionid"].value)
    assert desk is not None
    return desk


def log_out(desk: DeskSession) -> None:
    Session.objects.filter(pk=desk.session_key).delete()


def run_out(desk: DeskSession) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=desk.session_key).update(expire_date=past)


def change(**values: object) -> Callable[[DeskSession], None]:
    def act(desk: DeskSession) -> None:
        User.objects.filter(pk=desk.user_id).update(**values)

    return act


@pytest.mark.parametrize(
    "end",
    [log_out, run_out, change(is_active=False), change(password="x"), change(role=Role.EXPERT)],
    ids=["logout", "ran out", "disabled", "password", "role"],
)
async def test_ending_a_session_closes_only_its_sockets(
    end: Callable[[DeskSession], None],
) -> None:
    ended, other = [await database_sync_to_async(logged_in)() for _ in range(2)]
    ended_sockets: list[str] = []

    def callback(name: str) -> session_monitor.OnEnded:
        async def record() -> None:
            ended_sockets.append(name)

        return record

    watch = SessionMonitor()
    for name, desk in (("first", ended), ("second", ended), ("other", other)):
        watch.add(name, desk, callback(name))
    try:
        await watch.check()
        assert ended_sockets == []
        await database_sync_to_async(end)(ended)
        await watch.check()
        await watch.check()
        assert sorted(ended_sockets) == ["first", "second"]
        watch.remove("other")
        await database_sync_to_async(log_out)(other)
        await watch.check()
        assert len(ended_sockets) == 2
    finally:
        assert watch._task is not None
        watch._task.cancel()
        await async_pool.close()


def test_the_check_interval_is_short_enough() -> None:
    assert session_monitor.SECONDS < 5 - 1  # one second for the statement and the delivery
