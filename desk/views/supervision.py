"""Supervisors' views on conversations of others: reassign and wake."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from accounts.access import StaffRequest, overseers
from conversations.models import Conversation
from desk.forms import ReassignForm
from desk.views import actions
from desk.views.actions import do
from routing.actions import by_supervisor


def overseen_or_404(request: StaffRequest, number: int) -> Conversation:
    """Return a conversation that the user oversees; 404 for one that they see only as an agent."""
    conversation = actions.visible_or_404(request, number)
    if not by_supervisor.oversees(conversation, request.user):
        raise Http404
    return conversation


@overseers("GET", "POST")
def reassign(request: StaffRequest, number: int) -> HttpResponse:
    """Show the choice of the new holder, and handle its form."""
    conversation = overseen_or_404(request, number)
    data = request.POST if request.method == "POST" else None
    form = ReassignForm(data, conversation=conversation)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"form": form, "conversation": conversation}
        return render(request, "desk/_reassign.html", context, status=status)
    user, to = request.user, form.cleaned_data["to"]
    return do(
        request, conversation, lambda at: by_supervisor.reassign(number, to=to, user=user, at=at)
    )


@overseers("POST")
def rouse(request: StaffRequest, number: int) -> HttpResponse:
    """End somebody's snooze; it returns to its agent, or to its team (C2, C4)."""
    conversation = overseen_or_404(request, number)
    user = request.user
    return do(request, conversation, lambda at: by_supervisor.wake(number, user=user, at=at))
