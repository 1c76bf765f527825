"""The desk's pages: the desk, its boxes, one conversation, the snoozed ones."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from csp.constants import SELF
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language

from accounts import preferences
from accounts.access import StaffRequest, staff
from accounts.models import Agent, User
from conversations.agents import drafts, notes, notices
from conversations.inboxes.labels import channel_label
from conversations.language_models import summaries as machine_summaries
from conversations.language_models import translating, writing
from conversations.lifecycle.transitions import Verb
from conversations.models import Address, Conversation
from conversations.visitors import blocks, page_views, visitor_presence
from core.asgi.files import UPLOAD_BYTES
from desk import channel_limits, embedded, past_conversations, queries, state_boxes, tags, timeline
from desk.calls import past_calls
from desk.mirroring.current_page import mirror_of
from desk.mirroring.picture import picture_of
from desk.rights import rights_of
from desk.texts import script_texts
from routing.bots import summaries

SHOWN = 5  # pages viewed; the older ones are folded away


def bar_of(agent: Agent | None) -> dict[str, Any]:
    """Return the context of the bar at the top."""
    buttons = queries.status_buttons(agent)
    return {
        "agent": agent,
        "status_buttons": buttons,
        "away": None if any(one.is_available for one in buttons) else next(iter(buttons), None),
        "snoozed_count": queries.snoozed_count(agent),
        "waiting_count": queries.waiting_count(agent),
    }


def boxes_of(agent: Agent | None) -> dict[str, Any]:
    on_desk, assigned = state_boxes.boxes(agent)
    unread = notices.unread(agent.pk) if agent else []
    stored = preferences.of(agent.pk if agent else None)
    return {"boxes": on_desk, "assigned": assigned, "notices": unread, "preferences": stored}


def paused_lists_of(agent: Agent | None) -> dict[str, Any]:
    """Return the lists on the tab of snoozed conversations."""
    return {
        "kept": queries.kept_by(agent) if agent else [],
        "left": queries.left_to_team(agent) if agent else [],
        "paused": queries.paused_by(agent) if agent else [],
    }


def conversation_of(
    conversation: Conversation, user: User, agent: Agent | None, *, at: datetime
) -> dict[str, Any]:
    """Return the context of the dialogue and its toolbar."""
    history = queries.history_of(conversation, user)
    pasts = past_conversations.pasts_of(one.pk for one in history)
    events = timeline.entries_of(conversation.pk)
    pages = page_views.pages_of(conversation.visitor_id)
    profile = page_views.profile_of(conversation.visitor_id)
    is_online = conversation.visitor_id in visitor_presence.online([conversation.visitor_id])
    return {
        "agent": agent,
        "conversation": conversation,
        "apps": list(embedded.beside(conversation)),
        "profile": profile,
        "mirror": mirror_of(conversation, is_online=is_online, pages=pages, profile=profile),
        "picture": picture_of(conversation, agent, is_online=is_online),
        "pages": pages[:SHOWN],
        "older_pages": pages[SHOWN:],
        "channel_label": channel_label(conversation),
        "channel_limits": channel_limits.of(conversation, at=at),
        "address": Address.objects.filter(visitor=conversation.visitor_id).first(),
        "is_online": is_online,
        "rights": rights_of(conversation, user, agent, at=at),
        "draft": drafts.of(agent.pk if agent else None, conversation.pk),
        "begun": drafts.left_behind(agent.pk, conversation) if agent else None,
        "notes": notes.of(conversation.pk),
        "events": events,
        "tags": tags.tags_of(conversation),
        "reasons": tags.lines_of(conversation.pk),
        "summary": _summary_of(conversation, events),
        "machine_summary": machine_summaries.of(conversation.pk),
        "helps_writing": agent is not None and writing.is_on(conversation.website_id),
        "reads_translations": agent and translating.language_for(conversation, agent),
        "calls": past_calls.lines_of(conversation.pk),
        "awaits_call": past_calls.awaits_call(conversation),
        "turns": timeline.last_turns(events),
        "blocked": blocks.in_force(conversation.visitor, at=at)
        .select_related("blocked_by")
        .first(),
        "history": [(one, pasts.get(one.pk, past_conversations.Past())) for one in history],
        "upload_limit": UPLOAD_BYTES,
    }


def _summary_of(
    conversation: Conversation, events: list[timeline.TimelineEntry]
) -> dict[str, Any] | None:
    """Return what the bot learnt, and when it passed the conversation on; None without a bot."""
    passed_on = [event for event in events if event.verb == Verb.ESCALATE]
    if not passed_on:
        return None
    lines = summaries.summary_of(conversation, language=get_language() or "")
    return {"at": passed_on[-1].at, "lines": lines} if lines else None


@staff("GET")
def desk(request: StaffRequest) -> HttpResponse:
    """Show the desk with no conversation opened."""
    return _page(request, None)


@staff("GET")
def conversation(request: StaffRequest, number: int) -> HttpResponse:
    """Show one conversation: alone if a script asks for it, otherwise on the whole desk."""
    row = get_object_or_404(queries.visible(request.user), pk=number)
    if request.headers.get("HX-Request") != "true":
        return _page(request, row)
    agent = queries.agent_of(request.user)
    context = conversation_of(row, request.user, agent, at=timezone.now())
    context["is_beside"] = "beside" in request.GET
    return render(request, "desk/_conversation.html", context)


@staff("GET")
def toolbar(request: StaffRequest, number: int) -> HttpResponse:
    """Show the toolbar of a conversation that came into focus among several (R186)."""
    row = get_object_or_404(queries.visible(request.user), pk=number)
    agent = queries.agent_of(request.user)
    context = conversation_of(row, request.user, agent, at=timezone.now())
    return render(request, "desk/_toolbar.html", context)


def _page(request: StaffRequest, opened: Conversation | None) -> HttpResponse:
    now = timezone.now()
    agent = queries.agent_of(request.user)
    context = bar_of(agent) | boxes_of(agent) | {"now": now, "texts": script_texts(), "tab": "desk"}
    if opened is not None:
        context |= conversation_of(opened, request.user, agent, at=now)
    response = render(request, "desk/desk.html", context)
    if origins := embedded.origins_for(request.user, host=request.get_host()):
        setattr(response, "_csp_update", {"frame-src": [SELF, *origins]})  # noqa: B010 - django-csp's way
    return response


@staff("GET")
def boxes(request: StaffRequest) -> HttpResponse:
    """Return the state boxes, with the status buttons and counts of the bar."""
    agent = queries.agent_of(request.user)
    return render(request, "desk/_refresh.html", bar_of(agent) | boxes_of(agent))


@staff("GET")
def state(request: StaffRequest) -> HttpResponse:
    """Return the agent's state for pages without the desk: the bar, and what is on the desk."""
    agent = queries.agent_of(request.user)
    on_desk, _assigned = state_boxes.boxes(agent)
    held = [
        {"number": box.number, "name": box.visitor, "came_at": int(box.came_at.timestamp())}
        for box in on_desk
    ]
    return render(request, "desk/_state.html", bar_of(agent) | {"held": held})


@staff("GET")
def snoozed(request: StaffRequest) -> HttpResponse:
    """Show the tab of snoozed conversations in two parts (R116, C4), and those without a timer."""
    agent = queries.agent_of(request.user)
    context = bar_of(agent) | {
        "now": timezone.now(),
        "texts": script_texts(),
        "tab": "snoozed",
    }
    context |= paused_lists_of(agent)
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "desk/_paused_refresh.html" if is_fragment else "desk/snoozed.html"
    return render(request, template, context)


@staff("GET")
def snoozed_count(request: StaffRequest) -> HttpResponse:
    """Return only the count on the tab: the team's list changed while another page is open."""
    count = queries.snoozed_count(queries.agent_of(request.user))
    return render(request, "desk/_snoozed_count.html", {"snoozed_count": count})


@staff("POST")
def box_size(request: StaffRequest) -> HttpResponse:
    """Store the size of the state boxes, for every device (R181)."""
    agent = queries.agent_of(request.user)
    if agent is None:
        return HttpResponse(status=400)
    preferences.remember(agent.pk, has_small_boxes=request.POST.get("small") == "true")
    return render(request, "desk/_boxes.html", boxes_of(agent))


@staff("POST")
def panes(request: StaffRequest) -> HttpResponse:
    """Store how many conversations are shown at once, for every device (R186)."""
    agent = queries.agent_of(request.user)
    wanted = request.POST.get("panes", "")
    if agent is None or wanted not in {"1", "2", "4"}:
        return HttpResponse(status=400)
    preferences.remember(agent.pk, panes=int(wanted))
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"desk:panes": int(wanted)})
    return response
