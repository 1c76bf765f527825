"""The start page, the agent's own state (availability), and logging out."""

from __future__ import annotations

from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import StaffRequest, staff
from accounts.models import Agent, Channel
from accounts.single_sign_on.sessions import logout_address
from conversations.agents import notices
from desk import queries
from desk.views.pages import bar_of, boxes_of
from routing import presence


def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the user's start page (the board for supervisors, the desk for others), or to the
    login."""
    if not request.user.is_authenticated:
        return redirect("login")
    return redirect("production" if request.user.oversees else "desk")


@staff("POST")
def availability(request: StaffRequest) -> HttpResponse:
    """Choose for one channel whether more may come (R165-R167).

    Return the buttons or, if the form was sent before the page's scripts ran, redirect to its page.
    """
    agent = queries.agent_of(request.user)
    channel = request.POST.get("channel", "")
    wanted = request.POST.get("available", "")
    if agent is None or channel not in Channel.values or wanted not in {"true", "false"}:
        return HttpResponse(status=400)
    done = presence.set_available(agent.pk, Channel(channel), wanted == "true", at=timezone.now())
    if request.headers.get("HX-Request") != "true":
        return redirect(_page_before(request))
    status = 200 if done else 409
    return render(request, "desk/_status_buttons.html", bar_of(agent), status=status)


def _page_before(request: StaffRequest) -> str:
    """Return the page of ours that sent this form, or the desk if the browser does not say."""
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(before, allowed_hosts={request.get_host()})
    return before if is_ours else reverse("desk")


@staff("POST")
def notices_read(request: StaffRequest) -> HttpResponse:
    """Record that the agent has read why they became unavailable (C25)."""
    agent = queries.agent_of(request.user)
    if agent is not None:
        notices.mark_read(agent.pk, at=timezone.now())
    if request.headers.get("HX-Request") != "true":
        return redirect("desk")
    return HttpResponse(status=200)


@staff("GET", "POST")
def logout(request: StaffRequest) -> HttpResponse:
    """Log out (R136, R171, R172), if the desk is empty.

    Otherwise return the dialog that asks about each conversation on the desk (R137, C22); the desk
    opens it by itself.
    """
    agent = queries.agent_of(request.user)
    is_script = request.headers.get("HX-Request") == "true"
    if request.method == "GET":
        return _leaving(request, agent) if is_script else _to_the_dialog()
    elsewhere = logout_address(request)
    with transaction.atomic():
        is_free = agent is None or presence.leave(agent.pk, at=timezone.now())
        if is_free:
            end_session(request)
    if not is_free:
        return _leaving(request, agent, status=409) if is_script else _to_the_dialog()
    target = reverse("login")
    if elsewhere:
        # A page of ours leads there: the policy forbids forms to lead to another server.
        request.session["logout_elsewhere"] = elsewhere
        target = reverse("logout_elsewhere")
    if not is_script:
        return redirect(target)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = target
    return response


def _leaving(request: StaffRequest, agent: Agent | None, *, status: int = 200) -> HttpResponse:
    is_away = not any(button.is_available for button in queries.status_buttons(agent))
    context = boxes_of(agent) | {"is_away": is_away}
    return render(request, "desk/_logout.html", context, status=status)


def _to_the_dialog() -> HttpResponse:
    return redirect(reverse("desk") + "#leaving")
