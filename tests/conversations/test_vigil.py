"""Who is no longer logged in loses his sockets within seconds, whatever ended his session (N12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import passes
from accounts.models import Role, User
from accounts.passes import DeskPass
from conversations import pool, vigil
from conversations.vigil import Vigil
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def logged_in() -> DeskPass:
    client = Client()
    client.force_login(UserFactory())
    desk = passes.issue(client.cookies["sessionid"].value)
    assert desk is not None
    return desk


def log_out(desk: DeskPass) -> None:
    Session.objects.filter(pk=desk.session_key).delete()


def run_out(desk: DeskPass) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=desk.session_key).update(expire_date=past)


def change(**values: object) -> Callable[[DeskPass], None]:
    def act(desk: DeskPass) -> None:
        User.objects.filter(pk=desk.user_id).update(**values)

    return act


@pytest.mark.parametrize(
    "end",
    [log_out, run_out, change(is_active=False), change(password="x"), change(role=Role.EXPERT)],
    ids=["logout", "ran out", "disabled", "password", "role"],
)
async def test_whatever_ends_a_session_ends_its_sockets_and_no_others(
    end: Callable[[DeskPass], None],
) -> None:
    ended, other = [await database_sync_to_async(logged_in)() for _ in range(2)]
    heard: list[str] = []

    def says(name: str) -> vigil.Farewell:
        async def farewell() -> None:
            heard.append(name)

        return farewell

    watch = Vigil()
    for name, desk in (("first", ended), ("second", ended), ("other", other)):
        watch.enter(name, desk, says(name))
    try:
        await watch.look()
        assert heard == []
        await database_sync_to_async(end)(ended)
        await watch.look()
        await watch.look()
        assert sorted(heard) == ["first", "second"]
        watch.leave("other")
        await database_sync_to_async(log_out)(other)
        await watch.look()
        assert len(heard) == 2
    finally:
        assert watch._task is not None
        watch._task.cancel()
        await pool.close()


def test_the_look_comes_often_enough() -> None:
    assert vigil.SECONDS < 5 - 1  # one second for the statement and the way back
