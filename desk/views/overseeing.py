"""What those who oversee do to conversations of others: give them to somebody, wake them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import StaffRequest, overseers
from conversations import actors, lifecycle
from desk.forms import ReassignForm
from desk.views.actions import do, found
from routing import desks


@overseers("GET", "POST")
def reassign(request: StaffRequest, number: int) -> HttpResponse:
    """The choice of who is to have it, and what it sends."""
    conversation = found(request, number)
    data = request.POST if request.method == "POST" else None
    form = ReassignForm(data, conversation=conversation)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"form": form, "conversation": conversation}
        return render(request, "desk/reassign.html", context, status=status)
    actor, to = actors.manager(request.user), form.cleaned_data["to"]
    return do(request, conversation, lambda at: desks.reassign(number, to=to, actor=actor, at=at))


@overseers("POST")
def rouse(request: StaffRequest, number: int) -> HttpResponse:
    """End somebody's snooze: it comes back to its agent, or to its team (C2, C4)."""
    conversation = found(request, number)
    actor = actors.manager(request.user)
    return do(request, conversation, lambda at: lifecycle.wake(number, actor=actor, at=at))
