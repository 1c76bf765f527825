"""A conversation whose visitor left an address, e-mails that answer it, and their entry points."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from email.message import EmailMessage

from accounts.models import Agent
from conversations.messages import sending
from conversations.models import Author, Conversation, Message
from messenger.mail import addresses, lmtp, replies
from messenger.mail.reply_addresses import reply_address
from messenger.models import ReplyOutcome
from tests.clock import NOW
from tests.factories import (
    AgentFactory,
    GroupFactory,
    RuleFactory,
    StepFactory,
    WebsiteFactory,
    on_desk,
)
from tests.messenger.mailing import VISITOR, Lmtp, free_port

MINUTE = timedelta(minutes=1)


def begin() -> Conversation:
    site = WebsiteFactory(name="Maison Céleste", domains=["www.example.com"])
    agent: Agent = AgentFactory(display_name="Alice")
    step = StepFactory(
        rule=RuleFactory(website=site), group=GroupFactory(website=site, members=[agent])
    )
    conversation = on_desk(step, agent)
    say(conversation, Author.VISITOR, "Is it oak?")
    addresses.give(conversation.visitor, VISITOR, at=NOW)
    return conversation


def say(conversation: Conversation, author: Author, body: str) -> None:
    sending.add(conversation.pk, author=author, body=body, client_id=uuid.uuid4(), at=NOW)


def letter(conversation: Conversation, words: str = "Thank you!", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = headers.pop("From", f"Jeanne <{VISITOR}>")
    mail["To"] = reply_address(conversation.public_id)
    mail["Message-ID"] = headers.pop("Message-ID", f"<{uuid.uuid4()}@example.org>")
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(words)
    return mail


def take(mail: EmailMessage | bytes, to: str) -> ReplyOutcome:
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    (outcome,) = replies.take(raw, [to], at=NOW + 5 * MINUTE)
    return outcome


def words_of(conversation: Conversation) -> list[str]:
    messages = Message.objects.filter(conversation=conversation, author=Author.VISITOR)
    return list(messages.order_by("seq").values_list("body", flat=True))[1:]


def serve_lmtp() -> Iterator[Lmtp]:
    """Run the product's own LMTP entry point in a thread."""
    port, loop = free_port(), asyncio.new_event_loop()
    ready = threading.Event()
    stop: list[Callable[[], None]] = []

    async def serve() -> None:
        server = await lmtp.listen("127.0.0.1", port)
        over = asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))
        ready.set()
        await over.wait()
        server.close()
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > 1:  # one for each connection
                await asyncio.sleep(0.01)
        await asyncio.sleep(0)  # the loop's next turn closes their sockets

    def run() -> None:
        with closing(loop):
            loop.run_until_complete(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    yield Lmtp(port)
    stop[0]()
    thread.join(10)
    loop.close()
