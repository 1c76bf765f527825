"""Whom visitors and agents see when a bot speaks: its name, its picture, and that it is a bot."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from conversations.messages import reading, sending
from conversations.models import Author, Conversation
from core.db import async_pool
from messenger import queries
from routing import engagement
from routing.models import DeskPresence, RuleStep
from tests.clock import NOW
from tests.factories import BotFactory, WebsiteFactory
from tests.routing.bots.scenarios import shop
from tests.routing.bots.test_runner import start, step_of, work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "durable_wires"),
]

PICTURE = "https://shop.example/bot.png"


@pytest.fixture
def step() -> RuleStep:
    step = step_of(dict(shop().data))
    bot = step.rule.bot
    assert bot is not None
    bot.name, bot.picture_url = "Céleste", PICTURE
    bot.save()
    return step


def fetched(conversation: Conversation) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the visitor and an agent fetch."""
    token_hash = conversation.visitor.token_hash

    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            by_visitor = await reading.for_visitor(
                conversation=conversation.public_id,
                token_hash=token_hash,
                after_seq=0,
                at=NOW,
                presence=DeskPresence,
            )
            return by_visitor, await reading.for_agent(
                conversation=conversation.pk, after_seq=0, agent=None
            )
        finally:
            await async_pool.close()

    return asyncio.run(main())


def test_both_sides_read_the_bots_name_with_each_of_its_messages(step: RuleStep) -> None:
    conversation = start(step)
    work()
    seen, at_desk = fetched(conversation)
    assert seen["conversation"]["bot"] == {"name": "Céleste", "picture": PICTURE}
    for messages in (seen["messages"], at_desk["messages"]):
        names = {one["author"]: one["name"] for one in messages}
        assert names == {"visitor": "", "bot": "Céleste"}


def test_the_pushed_message_has_the_same_name_as_the_fetched_one(step: RuleStep) -> None:
    conversation = start(step)
    work()
    stored = conversation.messages.filter(author=Author.BOT).first()
    assert stored is not None
    assert sending.frame_of(stored)["name"] == "Céleste"
    repeated = sending.add(
        conversation.pk,
        author=Author.BOT,
        body="Still here",
        client_id=uuid.uuid4(),
        at=NOW,
    )
    assert repeated.frame["name"] == "Céleste"


def test_a_conversation_keeps_the_name_with_which_it_began(step: RuleStep) -> None:
    conversation = start(step)
    bot = step.rule.bot
    assert bot is not None
    bot.name, bot.picture_url = "Another", ""
    bot.save()
    shown = queries.conversations_of(conversation.visitor, at=NOW)[0]
    assert shown["bot"] == {"name": "Céleste", "picture": PICTURE}


def test_without_a_bot_there_is_no_identity(step: RuleStep) -> None:
    step.rule.bot = None
    step.rule.save()
    conversation = start(step)
    assert fetched(conversation)[0]["conversation"]["bot"] is None
    assert engagement.open_conversations(conversation.visitor).get().bot_name == ""


def test_a_picture_of_a_foreign_server_is_refused() -> None:
    """The page of the Messenger could not load it, and it would tell that server who reads."""
    bot = BotFactory(website=WebsiteFactory(domains=["shop.example"]))
    bot.picture_url = PICTURE
    bot.full_clean()
    bot.picture_url = "https://elsewhere.example/bot.png"
    with pytest.raises(ValidationError, match="domains"):
        bot.full_clean()
