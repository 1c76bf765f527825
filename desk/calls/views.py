"""Calls from the desk: begin, answer, go on after a reload, end. JSON, for the desk's script."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from accounts.access import StaffRequest, staff
from accounts.models import Agent
from conversations.calls import answers, verbs
from conversations.calls.states import NoSuchStep, Side
from conversations.models import Call
from conversations.visitors import persons, visitor_presence
from core.rejection import Rejected, error
from desk import queries
from desk.views.actions import visible_or_404

Params = ParamSpec("Params")


def _agents(
    view: Callable[Concatenate[StaffRequest, int, Agent, Params], Call],
) -> Callable[..., HttpResponse]:
    """Return the view of a step in a call, for agents; 409 if it comes too late."""

    @staff("POST")
    @wraps(view)
    def answered(
        request: StaffRequest, number: int, *args: Params.args, **kwargs: Params.kwargs
    ) -> HttpResponse:
        agent = queries.agent_of(request.user)
        try:
            if agent is None:
                raise answers.unknown()
            call = view(request, number, agent, *args, **kwargs)
        except NoSuchStep:
            return _refusal(answers.over())
        except verbs.CannotCall as refused:
            return _refusal(answers.refusal(refused.obstacle, Side.AGENT))
        except Rejected as rejected:
            return _refusal(rejected)
        return JsonResponse(answers.answer_of(call, Side.AGENT))

    return answered


def _refusal(rejected: Rejected) -> JsonResponse:
    return JsonResponse(error(rejected.code, rejected.text), status=rejected.status)


@_agents
def begin(request: StaffRequest, number: int, agent: Agent) -> Call:
    """Ring at the visitor, who must be on the site."""
    conversation = visible_or_404(request, number)
    browsers = list(persons.browsers_of(conversation.visitor).values_list("pk", flat=True))
    return verbs.begin(
        conversation.pk,
        by=Side.AGENT,
        agent_id=agent.pk,
        tab=answers.tab_of(request.POST.get("tab")),
        with_video=request.POST.get("video") == "true",
        is_there=bool(visitor_presence.online(browsers)),
        at=timezone.now(),
    )


@_agents
def step(request: StaffRequest, number: int, agent: Agent, call: uuid.UUID, step: str) -> Call:
    """Take a step in a call of this agent: ``answer``, ``resume`` or ``end``."""
    if not Call.objects.filter(public_id=call, conversation=number, agent=agent).exists():
        raise answers.unknown()
    now = timezone.now()
    if step == "end":
        return verbs.end(call, by=Side.AGENT, at=now, failed=request.POST.get("failed") == "true")
    act = verbs.answer if step == "answer" else verbs.resume
    return act(call, by=Side.AGENT, tab=answers.tab_of(request.POST.get("tab")), at=now)
