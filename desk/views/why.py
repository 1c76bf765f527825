"""Fragments that explain why a conversation waits, and why an agent gets none."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.access import StaffRequest, staff, zone_of
from conversations.models import Conversation
from desk import queries
from desk.views.dialogs import over_the_desk
from routing.waits import queries as wait_queries
from routing.waits import withheld as reasons


@staff("GET")
@over_the_desk
def why(request: StaffRequest, number: int) -> HttpResponse:
    """Show what stops each possible agent, and what would end the wait (R97, R98)."""
    conversation = get_object_or_404(queries.visible(request.user), pk=number)
    mine = Conversation.objects.filter(pk=conversation.pk)
    explanations = wait_queries.explained(mine, at=timezone.now(), zone=zone_of(request.user))
    return render(
        request,
        "routing/_explanation.html",
        {"explanation": explanations[0] if explanations else None},
    )


@staff("GET")
def withheld(request: StaffRequest) -> HttpResponse:
    """Show what waits although this agent is available, and why they do not get it (C56)."""
    agent = queries.agent_of(request.user)
    zone = zone_of(request.user)
    sentences = reasons.sentences(agent, at=timezone.now(), zone=zone) if agent else []
    return render(request, "desk/_withheld.html", {"reasons": sentences})
