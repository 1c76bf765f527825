"""The channel layer sleeps until something arrives, and misses nothing by it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from redis.asyncio.client import PubSub

PATIENCE_SECONDS = 5


async def test_a_group_joined_while_the_receiver_sleeps_is_heard() -> None:
    layer = get_channel_layer()
    first, second = await layer.new_channel(), await layer.new_channel()
    await asyncio.sleep(0.2)  # The receiver waits for the first by now.
    await layer.group_add("late", second)
    try:
        await layer.group_send("late", {"type": "frame", "text": "one"})
        await layer.send(first, {"type": "frame", "text": "two"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await layer.receive(second))["text"] == "one"
            assert (await layer.receive(first))["text"] == "two"
    finally:
        await layer.flush()


async def test_who_hears_nothing_is_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    original = PubSub.get_message

    async def counted(self: PubSub, *values: Any, **options: Any) -> Any:
        nonlocal asked
        asked += 1
        return await original(self, *values, **options)

    monkeypatch.setattr(PubSub, "get_message", counted)
    layer = get_channel_layer()
    await layer.new_channel()
    try:
        await asyncio.sleep(0.7)
        assert asked <= 2  # the answer to the subscription, and the wait for what follows
    finally:
        await layer.flush()
