"""The signed context for an application in the toolbar, fetched whenever its tab is opened."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.access import StaffRequest, staff
from desk import embedded, queries
from desk.views.actions import visible_or_404


@staff("GET")
def context(request: StaffRequest, number: int, app: int) -> HttpResponse:
    """Return a signed context for an application that belongs beside this conversation."""
    conversation = visible_or_404(request, number)
    shown = get_object_or_404(embedded.beside(conversation, host=request.get_host()), pk=app)
    agent = queries.agent_of(request.user)
    token = embedded.context_of(shown, conversation, agent, at=timezone.now())
    response = JsonResponse({"conversation": conversation.pk, "token": token})
    response["Cache-Control"] = "no-store"
    return response
