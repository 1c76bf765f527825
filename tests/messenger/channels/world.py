"""Inboxes, agents and what providers deliver, for the tests of channels."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.test import Client

from accounts.models import Agent, AgentChannel, Channel
from conversations.messages import attachments, sending
from conversations.models import Author, Conversation, Inbox
from core import temporary_files
from routing.models import RuleStep
from tests.clock import NOW
from tests.factories import AgentFactory, RuleFactory, StepFactory, WebsiteFactory, connect
from tests.messenger.channels.telegram_server import TOKEN

SECRET = "the-secret-of-the-door"


def a_step(*, places: int = 3) -> RuleStep:
    rule = RuleFactory(website=WebsiteFactory(key="celeste", name="Maison Céleste"))
    return StepFactory(rule=rule, places=places)


def an_inbox(step: RuleStep, *, kind: str = "telegram", **more: Any) -> Inbox:
    fields = {"name": f"Boutique {kind}", "token": TOKEN, "secret": SECRET} | more
    return Inbox.objects.create(
        website=step.rule.website, kind=kind, rule=step.rule, created_at=NOW, **fields
    )


def an_agent(step: RuleStep, *, slots: int = 3) -> Agent:
    """Return an agent of the step's group who is there and takes messaging."""
    agent = AgentFactory(slots=0)
    AgentChannel.objects.create(
        agent=agent, channel=Channel.MESSAGING, slots=slots, is_available=True
    )
    step.group.members.add(agent)
    connect(agent)
    return agent


def answer(conversation: Conversation, text: str, **more: Any) -> None:
    """Write as the agent who holds the conversation."""
    sending.add(
        conversation.pk, author=Author.AGENT, body=text, client_id=uuid.uuid4(), at=NOW, **more
    )


def answer_file(conversation: Conversation, content: bytes, name: str) -> None:
    """Send a file as the agent who holds the conversation."""
    conversation.refresh_from_db()
    file_id = uuid.uuid4()
    with temporary_files.folder() as folder:
        source = folder / "file"
        source.write_bytes(content)
        attachments.store_as_agent(
            source, attachment_id=file_id, name=name, conversation=conversation, at=NOW
        )
    answer(conversation, "", attachment=file_id)


def telegram_text(number: int, text: str, *, chat: int = 77, **more: Any) -> dict[str, Any]:
    """Return an update with a text, as Telegram sends it."""
    sender = {"id": chat, "is_bot": False, "first_name": "Jeanne", "last_name": "Moreau"}
    message = {
        "message_id": number,
        "from": sender | {"language_code": "fr-FR"},
        "chat": {"id": chat, "type": "private", "first_name": "Jeanne"},
        "date": int(NOW.timestamp()) - 60 + number,
        "text": text,
    }
    return {"update_id": 1000 + number, "message": message | more}


def deliver(inbox: Inbox, update: dict[str, Any], *, secret: str = SECRET) -> int:
    """Post an update to the door; return the status of the answer."""
    response = Client().post(
        f"/channels/{inbox.key}/",
        json.dumps(update),
        content_type="application/json",
        headers={"X-Telegram-Bot-Api-Secret-Token": secret},
    )
    return response.status_code
