"""Programs of bots for tests: real processes, and conversations with them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conversations.models import Author, Conversation
from core.events import outbox
from routing import engagement
from routing.models import BotEndpoint, RuleStep
from tests.clock import NOW
from tests.factories import BotFactory, RuleFactory, StepFactory, VisitorFactory

ROOT = Path(__file__).parents[3]
SECRET = "whsec_" + "c2VjcmV0" * 5


@contextmanager
def process(script: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a bot as a process of its own; yield it and its address without the last slash."""
    command = [sys.executable, str(ROOT / script), "0"]
    environment = os.environ | {"BOT_SECRET": SECRET}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as bot:
        assert bot.stdout is not None
        try:
            said = bot.stdout.readline()
            port = "".join(filter(str.isdigit, said.rpartition(":")[2]))
            yield bot, f"http://127.0.0.1:{port}"
        finally:
            bot.terminate()


def step_with(url: str, *, places: int = 9) -> RuleStep:
    """Return the queue behind a rule whose bot is a program at an address."""
    rule = RuleFactory()
    rule.bot = BotFactory(website=rule.website)
    rule.save()
    BotEndpoint.objects.create(
        bot=rule.bot, url=url, owner_email="owner@example.com", secret=SECRET
    )
    return StepFactory(rule=rule, places=places)


def start(step: RuleStep, body: str = "Hi") -> Conversation:
    conversation, _ = engagement.start(
        VisitorFactory(website=step.rule.website, name="Ada"),
        body=body,
        client_id=uuid.uuid4(),
        page_url="https://shop.example/",
        language="en",
        at=NOW,
    )
    return reload(conversation)


def reload(conversation: Conversation) -> Conversation:
    conversation.refresh_from_db()
    return conversation


def work() -> None:
    """Do what a worker does, until nothing is due."""
    while outbox.deliver_due():
        pass


def said(conversation: Conversation) -> list[str]:
    """Return what the bot and the product wrote, each without its choices."""
    rows = conversation.messages.exclude(author=Author.VISITOR).order_by("seq")
    return [body.partition("\n\n")[0] for body in rows.values_list("body", flat=True)]
