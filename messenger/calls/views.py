"""Calls from the Messenger: begin, answer, go on after a reload, end."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Website
from conversations.calls import answers, verbs
from conversations.calls.states import NoSuchStep, Side
from conversations.models import Call, Conversation, Visitor
from conversations.visitors import persons
from core.rejection import Rejected
from messenger.views.visitor_request import json_of, visitor_endpoint
from messenger.visitors import reader_of
from routing import presence


@visitor_endpoint("POST", door="calls")
def calls(request: HttpRequest, website: Website, conversation: uuid.UUID) -> JsonResponse:
    """Ring at the agent who has the conversation."""
    visitor, talk = _own_conversation(request, website, conversation)
    persons.check_willing(visitor)
    sent, now = json_of(request), timezone.now()
    try:
        call = verbs.begin(
            talk.pk,
            by=Side.VISITOR,
            tab=answers.tab_of(sent.get("tab")),
            with_video=sent.get("video") is True,
            is_there=_is_reached(talk.agent_id, now),
            at=now,
        )
    except verbs.CannotCall as refused:
        raise answers.refusal(refused.obstacle, Side.VISITOR) from None
    return _answer(call, status=201)


@visitor_endpoint("POST")
def call(
    request: HttpRequest, website: Website, conversation: uuid.UUID, call: uuid.UUID, step: str
) -> JsonResponse:
    """Take a step in a call: ``answer``, ``resume`` or ``end``."""
    visitor, talk = _own_conversation(request, website, conversation)
    if step != "end":
        persons.check_willing(visitor)
    if not Call.objects.filter(public_id=call, conversation=talk).exists():
        raise answers.unknown()
    sent: dict[str, Any] = json_of(request)
    try:
        return _answer(_step(call, step, sent))
    except NoSuchStep:
        raise answers.over() from None


def _is_reached(agent_id: int | None, now: datetime) -> bool:
    connections = presence.reachable_connections(now)
    return agent_id is not None and connections.filter(agent_id=agent_id).exists()


def _step(call_id: uuid.UUID, step: str, sent: dict[str, Any]) -> Call:
    now = timezone.now()
    if step == "end":
        return verbs.end(call_id, by=Side.VISITOR, at=now, failed=sent.get("failed") is True)
    act = verbs.answer if step == "answer" else verbs.resume
    return act(call_id, by=Side.VISITOR, tab=answers.tab_of(sent.get("tab")), at=now)


def _answer(call: Call, status: int = 200) -> JsonResponse:
    return JsonResponse(answers.answer_of(call, Side.VISITOR), status=status)


def _own_conversation(
    request: HttpRequest, website: Website, conversation: uuid.UUID
) -> tuple[Visitor, Conversation]:
    visitor, only = reader_of(request, website)
    mine = Conversation.objects.filter(visitor__in=persons.browsers_of(visitor))
    talk = mine.filter(public_id=conversation).first()
    if talk is None or only not in {None, conversation}:
        raise Rejected("not_found", _("This conversation does not exist."), 404)
    return visitor, talk
