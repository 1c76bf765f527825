"""Close, pending, on hold: performed at once, or after a question (C72).

The browser reports its unsent text; without that, the server's draft counts. The question is a
dialog; its buttons send the same form again, confirmed.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import StaffRequest, staff
from accounts.models import Agent
from conversations.agents import drafts
from conversations.lifecycle.transitions import Refused, Status, Verb
from conversations.models import Conversation, Style
from desk import queries
from desk.views.actions import do, refused, seen_of, shown_with, visible_or_404
from desk.views.dialogs import over_the_desk
from routing.actions import by_agent


def _leaving(name: str, act: Callable[..., Conversation]) -> Callable[..., HttpResponse]:
    """Return the view of a verb that takes a conversation off the desk."""

    @staff("GET", "POST")
    @over_the_desk
    def view(request: StaffRequest, number: int) -> HttpResponse:
        conversation = visible_or_404(request, number)
        agent = queries.agent_of(request.user)
        if request.method == "GET":
            return _question(request, conversation, agent, name)
        if agent is None:
            return refused(request, number, Refused(Verb.TAKE, None))
        if _must_ask(request, conversation, agent, name):
            response = _question(request, conversation, agent, name)
            response["HX-Retarget"], response["HX-Reswap"] = "#dialog-body", "innerHTML"
            return response
        seen = seen_of(request)
        return do(
            request, conversation, lambda at: act(number, user=request.user, at=at, seen=seen)
        )

    return view


def _must_ask(request: StaffRequest, conversation: Conversation, agent: Agent, name: str) -> bool:
    """Return whether something would stay unsaid: an unsent text, or any answer at all."""
    is_mine = conversation.agent_id == agent.pk and conversation.status == Status.ACTIVE
    if not is_mine or "confirmed" in request.POST:
        return False
    unsent = request.POST.get("draft", drafts.of(agent.pk, conversation.pk))
    return bool(unsent.strip()) or (name == "close" and _is_unanswered(conversation))


def _is_unanswered(conversation: Conversation) -> bool:
    return conversation.last_agent_message_at is None


def _question(
    request: StaffRequest, conversation: Conversation, agent: Agent | None, name: str
) -> HttpResponse:
    unsent = drafts.of(agent.pk if agent else None, conversation.pk)
    context = {
        "conversation": conversation,
        "verb": name,
        "verb_url": name,
        "is_live": conversation.style == Style.LIVE,
        "is_unanswered": name == "close" and _is_unanswered(conversation),
        "unsent": request.POST.get("draft", unsent).strip(),
        "seen": shown_with(request, conversation),
    }
    return render(request, "desk/_closing.html", context)


close = _leaving("close", by_agent.finish)
pending = _leaving("pending", by_agent.set_pending)
on_hold = _leaving("on_hold", by_agent.set_on_hold)
