"""What the program of a bot asked for, carried out in its conversation."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Skill
from conversations.lifecycle import verbs
from conversations.lifecycle.actors import BOT
from conversations.messages import rich_content, sending
from conversations.messages.validators import BODY_LIMIT
from conversations.models import Author, CloseReason, Conversation
from core.events import bus
from core.rejection import Rejected
from core.text.cleaning import clean, line
from routing.bots import contract
from routing.bots.contract import Action
from routing.bots.engine import VALUES_LIMIT
from routing.facts import BotTyped, ProgramOwesAnswer
from routing.models import ProgramRun

logger = logging.getLogger(__name__)


def perform(
    run: ProgramRun, conversation: Conversation, actions: Sequence[Action], *, at: datetime
) -> None:
    """Carry out actions in the caller's transaction, which holds the conversation's lock and saves
    the run. A pause leaves those behind it for later."""
    run.rest, run.resume_at = [], None
    run.turns += 1
    for number, action in enumerate(actions):
        if action["type"] == contract.WAIT:
            seconds = action["seconds"]
            run.rest = list(actions[number + 1 :])
            if run.rest:
                run.resume_at = at + timedelta(seconds=seconds)
                owes = ProgramOwesAnswer(conversation_id=conversation.pk)
                bus.publish_later(owes, seconds=seconds)
            return
        _do(action, number, run, conversation, at=at)


def _do(
    action: Action, number: int, run: ProgramRun, conversation: Conversation, *, at: datetime
) -> None:
    client_id = uuid.uuid5(conversation.public_id, f"program/{run.turns}/{number}")
    match action["type"]:
        case contract.MESSAGE | contract.CHOICES | contract.CARDS:
            say(
                conversation,
                text=action.get("text", ""),
                choices=action.get("choices", ()),
                cards=action.get("cards", ()),
                client_id=client_id,
                at=at,
            )
        case contract.TYPING:
            bus.publish(
                BotTyped(
                    public_id=str(conversation.public_id),
                    visitor_id=conversation.visitor_id,
                    name=run.bot.name,
                )
            )
        case contract.SET:
            _set(run, action.get("data", {}))
            require(conversation, action.get("skills", ()))
        case contract.ESCALATE:
            run.owed = {"rule": action.get("rule", ""), "text": action.get("text", "")}
        case contract.CLOSE:
            if action.get("text"):
                say(conversation, text=action["text"], client_id=client_id, at=at)
            verbs.close(conversation.pk, reason=CloseReason.BOT_ENDED, actor=BOT, at=at)
            conversation.refresh_from_db(fields=["status"])  # The caller reads it.


def say(
    conversation: Conversation,
    *,
    text: str,
    choices: Sequence[str] = (),
    cards: Sequence[Any] = (),
    client_id: uuid.UUID,
    at: datetime,
) -> None:
    """Write to the visitor. What the website's settings do not allow, such as a picture of another
    domain, is left out: the words always arrive."""
    offer: dict[str, Any] | None = None
    try:
        body, offer = rich_content.check_rich_content(
            text, list(choices), list(cards), domains=conversation.website.domains
        )
    except Rejected as rejected:
        logger.warning("bot of conversation %s: %s", conversation.pk, rejected.text)
        titles = [card["title"] for card in cards]
        body = "\n".join(filter(None, [text, *titles, *choices]))[:BODY_LIMIT] or "…"
    sending.add(
        conversation.pk, author=Author.BOT, body=body, client_id=client_id, at=at, offer=offer
    )


def require(conversation: Conversation, names: Sequence[str]) -> None:
    """Require skills, by name, of the agent who takes over; unknown ones are ignored."""
    if not names:
        return
    skills = Skill.objects.filter(website=conversation.website_id, name__in=names)
    wanted = {*conversation.required_skills, *skills.values_list("pk", flat=True)}
    conversation.required_skills = sorted(wanted)
    Conversation.objects.filter(pk=conversation.pk).update(required_skills=sorted(wanted))


def _set(run: ProgramRun, values: dict[str, str]) -> None:
    """Store values as one line of text each; beyond the limit new names are dropped."""
    for name, value in values.items():
        if name in run.values or len(run.values) < VALUES_LIMIT:
            run.values[name] = line(clean(value), contract.VALUE_LENGTH)
