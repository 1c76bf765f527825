"""The channel layer sleeps until something arrives, and misses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from core.realtime import channel_groups

PATIENCE_SECONDS = 5
VALKEY = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"]


async def test_a_group_joined_while_the_receiver_waits_gets_messages() -> None:
    channels = get_channel_layer()
    first, second = await channels.new_channel(), await channels.new_channel()
    await asyncio.sleep(0.2)  # The receiver waits for the first by now.
    await channels.group_add("late", second)
    try:
        await channels.group_send("late", {"type": "frame", "text": "one"})
        await channels.send(first, {"type": "frame", "text": "two"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await channels.receive(second))["text"] == "one"
            assert (await channels.receive(first))["text"] == "two"
    finally:
        await channels.flush()


async def test_an_idle_receiver_does_not_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    original = PubSub.get_message

    async def counted(self: PubSub, *values: Any, **options: Any) -> Any:
        nonlocal asked
        asked += 1
        return await original(self, *values, **options)

    monkeypatch.setattr(PubSub, "get_message", counted)
    channels = get_channel_layer()
    await channels.new_channel()
    try:
        await asyncio.sleep(0.7)
        assert asked <= 2  # the confirmation of the subscription, and the wait for what follows
    finally:
        await channels.flush()


async def received_by(channel: str) -> list[str]:
    """Return what arrives at ``channel`` before the word "end"."""
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not heard or heard[-1] != "end":
            heard.append(json.loads((await get_channel_layer().receive(channel))["text"])["word"])
    return heard


@pytest.fixture
async def ear() -> AsyncIterator[str]:
    """A channel in the groups "a" and "b"."""
    channels = get_channel_layer()
    channel: str = await channels.new_channel()
    for group in ("a", "b"):
        await channels.group_add(group, channel)
    yield channel
    await channels.flush()


async def test_grouped_pushes_arrive_in_order_and_once(ear: str) -> None:
    async with channel_groups.together():
        for group, word in [("a", "one"), ("b", "one"), ("a", "two"), ("a", "one"), ("b", "end")]:
            await channel_groups.push(group, {"word": word})
    assert await received_by(ear) == ["one", "one", "two", "end"]


async def test_separate_pushes_are_all_delivered(ear: str) -> None:
    for word in ("one", "one", "end"):
        await channel_groups.push("a", {"word": word})
    assert await received_by(ear) == ["one", "one", "end"]


async def test_pushes_resume_after_a_lost_connection(ear: str) -> None:
    await channel_groups.push("a", {"word": "one"})
    async with Redis.from_url(VALKEY) as valkey:
        await valkey.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await channel_groups.push("a", {"word": "end"})
    assert await received_by(ear) == ["one", "end"]


async def test_a_timed_out_push_does_not_disturb_the_next(
    ear: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await channel_groups.push("a", {"word": "one"})
    async with Redis.from_url(VALKEY) as valkey:
        with monkeypatch.context() as hasty:
            hasty.setattr(channel_groups, "PATIENCE_SECONDS", 0.05)
            await valkey.execute_command("CLIENT", "PAUSE", "3000", "WRITE")
            async with channel_groups.together():
                await channel_groups.push("a", {"word": "late"})
                await channel_groups.push("b", {"word": "late"})
            assert "2 push(es) lost" in caplog.text
        await valkey.execute_command("CLIENT", "UNPAUSE")
    await channel_groups.push("a", {"word": "two"})
    await channel_groups.push("a", {"word": "end"})
    # What was sent to the abandoned group may still arrive; what follows arrives in order.
    assert [word for word in await received_by(ear) if word != "late"] == ["one", "two", "end"]
