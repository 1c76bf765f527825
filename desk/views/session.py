"""The agent's own state: available or not, and the proper way to leave."""

from __future__ import annotations

from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from accounts.models import Channel
from conversations import notices
from desk import queries
from desk.views.pages import bar_of
from routing import presence


@staff("POST")
def availability(request: StaffRequest) -> HttpResponse:
    """Choose for one channel whether more may come (R165-R167); answers with the buttons, or, to
    somebody quicker than the page's scripts, with the desk."""
    agent = queries.agent_of(request.user)
    channel = request.POST.get("channel", "")
    wanted = request.POST.get("available", "")
    if agent is None or channel not in Channel.values or wanted not in {"true", "false"}:
        return HttpResponse(status=400)
    done = presence.set_available(agent.pk, Channel(channel), wanted == "true", at=timezone.now())
    if request.headers.get("HX-Request") != "true":
        return redirect("desk")
    status = 200 if done else 409
    return render(request, "desk/status_buttons.html", bar_of(agent), status=status)


@staff("POST")
def notices_read(request: StaffRequest) -> HttpResponse:
    """The agent has read why he became unavailable (C25)."""
    agent = queries.agent_of(request.user)
    if agent is not None:
        notices.mark_read(agent.pk, at=timezone.now())
    if request.headers.get("HX-Request") != "true":
        return redirect("desk")
    return HttpResponse(status=200)


@staff("POST")
@transaction.atomic
def logout(request: StaffRequest) -> HttpResponse:
    """Unavailable everywhere, gone from the board at once, the session over (R136, R171, R172)."""
    agent = queries.agent_of(request.user)
    if agent is not None:
        presence.log_out(agent.pk, at=timezone.now())
    end_session(request)
    return redirect("login")
