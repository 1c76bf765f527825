"""Views of an agent's actions on a conversation: parse, one call, and a response for scripts.

204 for success, with what moved; 409 if somebody else was faster, with the conversation as it is
now; 422 for an invalid form, with the form again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import rights
from accounts.access import StaffRequest, staff
from accounts.models import Agent, User
from conversations.agents import drafts
from conversations.lifecycle.transitions import Refused, Verb
from conversations.models import Conversation
from conversations.visitors import blocks
from core.db.retry import may_retry
from desk import queries, refusals, transfer_targets
from desk.action_notices import sentence
from desk.forms import BlockForm, TransferForm
from desk.views.dialogs import over_the_desk
from desk.views.pages import conversation_of, paused_lists_of
from routing.actions import assignment, by_agent, by_supervisor, undo

Act = Callable[[datetime], Conversation]


def do(request: StaffRequest, conversation: Conversation, act: Act) -> HttpResponse:
    """Perform one action, and respond."""
    now = timezone.now()
    try:
        moved = act(now)
    except Refused as error:
        return refused(request, conversation.pk, error)
    except OperationalError as error:
        if not may_retry(error):
            raise
        return _busy(conversation.pk)
    response = HttpResponse(status=204)
    notice: dict[str, object] = {"number": moved.pk, "sentence": sentence(moved)}
    if undo.last_act(moved.pk, user=request.user, at=now) is not None:
        notice["undo"] = reverse("take_back", args=[moved.pk])
    response["HX-Trigger"] = json.dumps(
        {"desk:moved": {"number": moved.pk, "status": moved.status}, "desk:notice": notice}
    )
    return response


def _busy(number: int) -> HttpResponse:
    """503: its row stayed locked for too long, three times. Nothing was done; it may be retried."""
    sentence = _("The server is busy with this conversation. Please try again in a moment.")
    response = HttpResponse(status=503)
    response["Retry-After"] = "1"
    response["HX-Trigger"] = json.dumps({"desk:refused": {"number": number, "message": sentence}})
    return response


def refused(request: StaffRequest, number: int, error: Refused) -> HttpResponse:
    """409: return the conversation as it is now, with the reason in words."""
    fresh = queries.visible(request.user).filter(pk=number).first()
    agent = queries.agent_of(request.user)
    if request.headers.get("HX-Target") == "paused-lists":
        response = render(request, "desk/_paused_lists.html", paused_lists_of(agent), status=409)
    else:
        response = _fresh(request, fresh, agent)
        # The page may show it in any of its panes, or not at all: it fetches it there itself.
        response["HX-Reswap"] = "none"
    refusal = {"number": number, "message": refusals.sentence_of(fresh, error)}
    response["HX-Trigger"] = json.dumps({"desk:refused": refusal})
    return response


def _fresh(
    request: StaffRequest, conversation: Conversation | None, agent: Agent | None
) -> HttpResponse:
    if conversation is None:
        return render(request, "desk/_no_conversation.html", status=409)
    context = conversation_of(conversation, request.user, agent, at=timezone.now())
    context["is_beside"] = True
    return render(request, "desk/_conversation.html", context, status=409)


def shown_with(request: StaffRequest, conversation: Conversation) -> object:
    """Return what a form carries as ``seen``: what it came with, else the newest message."""
    return request.POST.get("seen", conversation.last_seq)


def seen_of(request: StaffRequest) -> int | None:
    """Return the last message that the page has shown; ``None`` if it does not say."""
    value = request.POST.get("seen", "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def visible_or_404(request: StaffRequest, number: int) -> Conversation:
    return get_object_or_404(queries.visible(request.user), pk=number)


@staff("GET", "POST")
@over_the_desk
def transfer(request: StaffRequest, number: int) -> HttpResponse:
    """Show the transfer dialog, and handle its form (R199)."""
    conversation = visible_or_404(request, number)
    data = request.POST if request.method == "POST" else None
    form = TransferForm(data, conversation=conversation, user=request.user)
    if not form.is_valid():
        now, agent = timezone.now(), queries.agent_of(request.user)
        context = {
            "form": form,
            "conversation": conversation,
            "colleagues": transfer_targets.colleagues_of(conversation, request.user, at=now),
            "teams": transfer_targets.teams_of(conversation, agent, at=now),
            "unsent": drafts.of(agent.pk if agent else None, number),
        }
        status = 422 if form.is_bound else 200
        return render(request, "desk/_transfer.html", context, status=status)
    to = form.cleaned_data["to"]
    return do(
        request,
        conversation,
        lambda at: by_agent.transfer(
            number, user=request.user, to=to, note=form.cleaned_data["note"], at=at
        ),
    )


@staff("GET", "POST")
@over_the_desk
def block(request: StaffRequest, number: int) -> HttpResponse:
    """Show the dialog that blocks a visitor, and handle its form (R58)."""
    conversation = visible_or_404(request, number)
    form = BlockForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"form": form, "conversation": conversation}
        return render(request, "desk/_block.html", context, status=status)
    return do(
        request,
        conversation,
        lambda at: by_agent.block(
            number,
            user=request.user,
            reason=form.cleaned_data["reason"],
            until=form.until(at),
            at=at,
        ),
    )


@staff("POST")
def unblock(request: StaffRequest, number: int) -> HttpResponse:
    """Let a visitor write again; 404 for users other than managers and administrators."""
    conversation = visible_or_404(request, number)
    if not rights.websites_of(request.user).filter(pk=conversation.website_id).exists():
        raise Http404
    now = timezone.now()
    blocks.lift(blocks.in_force(conversation.visitor, at=now), by=request.user, at=now)
    response = HttpResponse(status=204)
    message = _("This visitor can write again.")
    response["HX-Trigger"] = json.dumps(
        {
            "desk:moved": {"number": number, "status": conversation.status},
            "desk:notice": {"number": number, "sentence": message},
        }
    )
    return response


@staff("POST")
def draft(request: StaffRequest, number: int) -> HttpResponse:
    """Store what the agent has begun to write, for their other devices."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    if agent is None:
        return HttpResponse(status=400)
    drafts.save(agent.pk, conversation.pk, request.POST.get("body", ""), at=timezone.now())
    return HttpResponse(status=204)


def _verb(
    verb: Callable[[int, User, datetime], Conversation],
) -> Callable[..., HttpResponse]:
    """Return the view of a verb that needs only the conversation."""

    @staff("POST")
    def view(request: StaffRequest, number: int) -> HttpResponse:
        conversation = visible_or_404(request, number)
        if queries.agent_of(request.user) is None:
            return refused(request, number, Refused(Verb.TAKE, None))
        return do(request, conversation, lambda at: verb(number, request.user, at))

    return view


resume = _verb(lambda number, user, at: by_agent.resume(number, user=user, at=at))
wake = _verb(lambda number, user, at: by_agent.wake(number, user=user, at=at))
take = _verb(lambda number, user, at: assignment.take(number, user=user, at=at))


@staff("POST")
def take_back(request: StaffRequest, number: int) -> HttpResponse:
    """Undo the agent's last action (C71), even on a conversation that they no longer see."""
    user = request.user
    if undo.last_act(number, user=user, at=timezone.now()) is None:
        visible_or_404(request, number)
        return refused(request, number, Refused(Verb.TAKE_BACK, None))
    conversation = Conversation.objects.get(pk=number)
    return do(request, conversation, lambda at: undo.take_back(number, user=user, at=at))


@staff("POST")
def release(request: StaffRequest, number: int) -> HttpResponse:
    """Release, for managers and administrators only (R92); refused to others."""
    conversation = visible_or_404(request, number)
    if not request.user.steers:
        return refused(request, number, Refused(Verb.RELEASE, None))
    user = request.user
    return do(request, conversation, lambda at: by_supervisor.release(number, user=user, at=at))
