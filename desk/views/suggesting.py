"""Suggested replies at the composer, and what the agent did with them (R185)."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from accounts.access import StaffRequest, staff
from conversations.suggestions import suggestion_log
from desk import queries
from desk.views.actions import visible_or_404


@staff("POST")
def suggestions(request: StaffRequest, number: int) -> HttpResponse:
    """Return replies to the visitor's last question; none without a question, or once answered."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    offered = suggestion_log.offer(conversation, agent, at=timezone.now()) if agent else None
    if offered is None or offered.outcome:
        return JsonResponse({"seq": 0, "suggestions": []})
    shown = [
        {key: one.get(key, "") for key in ("source", "title", "body", "page")}
        for one in offered.suggestions
    ]
    return JsonResponse({"seq": offered.seq, "suggestions": shown})


@staff("POST")
def decided(request: StaffRequest, number: int, seq: int) -> HttpResponse:
    """Record the agent's answer: one of the suggestions, unchanged or edited, or none."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    chosen = request.POST.get("chosen", "")
    if agent is None or not (chosen == "" or (chosen.isdecimal() and len(chosen) == 1)):
        return HttpResponse(status=400)
    suggestion_log.decide(
        conversation_id=conversation.pk,
        agent_id=agent.pk,
        seq=seq,
        chosen=int(chosen) if chosen else None,
        is_edited=request.POST.get("edited") == "true",
        at=timezone.now(),
    )
    return HttpResponse(status=204)
