"""The snooze dialog: how long, the two boxes, and the warning about the automatic closure."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import preferences
from accounts.access import StaffRequest, staff
from accounts.models import Preferences
from conversations.agents import drafts
from conversations.models import Conversation
from desk import queries
from desk.forms import SnoozeForm, quick_moments
from desk.views.actions import do, seen_of, shown_with, visible_or_404
from desk.views.dialogs import over_the_desk
from routing.actions import by_agent


@staff("GET", "POST")
@over_the_desk
def snooze(request: StaffRequest, number: int) -> HttpResponse:
    """Show the dialog, and handle its form (R99-R112).

    A snooze that ends in a closure shows a warning first, until the agent has opted out of it
    (R128, C38).
    """
    conversation = visible_or_404(request, number)
    now = timezone.now()
    stored = preferences.of(_agent_id(request))
    if request.method == "GET":
        form = SnoozeForm(initial={"auto_close": stored.closes_snoozed}, at=now)
        return _dialog(request, conversation, form, now, status=200)
    form = SnoozeForm(request.POST, at=now)
    if not form.is_valid():
        return _dialog(request, conversation, form, now, status=422)
    if "back" in request.POST:
        return _dialog(request, conversation, form, now, status=200)
    if _must_warn(request, form, stored):
        context = {
            "form": form,
            "conversation": conversation,
            "seen": shown_with(request, conversation),
        }
        if "send" in request.POST:
            context["unsent"] = drafts.of(_agent_id(request), number)
        return render(request, "desk/_snooze_warning.html", context)

    def act(at: datetime) -> Conversation:
        return by_agent.snooze(
            number,
            user=request.user,
            until=form.cleaned_data["until"],
            keep=form.cleaned_data["keep"],
            auto_close=form.cleaned_data["auto_close"],
            seen=seen_of(request),
            warn_again="silence" not in request.POST if "warned" in request.POST else None,
            at=at,
        )

    return do(request, conversation, act)


def _must_warn(request: StaffRequest, form: SnoozeForm, stored: Preferences) -> bool:
    return (
        form.cleaned_data["auto_close"] and stored.warns_of_closure and "warned" not in request.POST
    )


def _dialog(
    request: StaffRequest,
    conversation: Conversation,
    form: SnoozeForm,
    now: datetime,
    *,
    status: int,
) -> HttpResponse:
    agent_id = _agent_id(request)
    context = {
        "form": form,
        "conversation": conversation,
        "moments": quick_moments(now),
        "unsent": drafts.of(agent_id, conversation.pk),
        "warns": preferences.of(agent_id).warns_of_closure,
        "seen": shown_with(request, conversation),
    }
    return render(request, "desk/_snooze.html", context, status=status)


@staff("POST")
def auto_close(request: StaffRequest) -> HttpResponse:
    """Remember the state of the box for all later snoozes (R125-R127)."""
    agent_id = _agent_id(request)
    if agent_id is None:
        return HttpResponse(status=400)
    preferences.remember(agent_id, closes_snoozed="auto_close" in request.POST)
    return HttpResponse(status=204)


def _agent_id(request: StaffRequest) -> int | None:
    agent = queries.agent_of(request.user)
    return agent.pk if agent else None
