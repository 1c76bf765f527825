"""The tags of a conversation: the list to choose from, adding one, and removing one."""

from __future__ import annotations

import json

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from conversations.lifecycle import actors
from conversations.models import Conversation
from conversations.reasons import tagging
from core.rejection import Rejected
from desk import queries
from desk import tags as shown
from desk.views.actions import visible_or_404
from desk.views.dialogs import over_the_desk


@staff("GET", "POST")
@over_the_desk
def tags(request: StaffRequest, number: int) -> HttpResponse:
    """Show the tags that can be added; add the one that is chosen."""
    conversation = _taggable(request, number)
    if request.method == "GET":
        context = {
            "conversation": conversation,
            "categories": shown.offered_for(conversation),
            "may_manage": request.user.steers,
        }
        return render(request, "desk/_tag_picker.html", context)
    chosen = request.POST.get("tag", "")
    if not chosen.isdecimal() or len(chosen) > 18:
        return HttpResponse(status=400)
    try:
        tagging.add(number, [int(chosen)], actor=actors.agent(request.user), at=timezone.now())
    except Rejected as rejected:
        response = HttpResponse(status=rejected.status)
        refusal = {"number": number, "message": rejected.text}
        response["HX-Trigger"] = json.dumps({"desk:refused": refusal})
        return response
    return _changed(number)


@staff("POST")
def remove(request: StaffRequest, number: int, tag: int) -> HttpResponse:
    """Remove a tag. One that somebody else has removed meanwhile is gone all the same."""
    _taggable(request, number)
    tagging.remove(number, tag, actor=actors.agent(request.user), at=timezone.now())
    return _changed(number)


def _taggable(request: StaffRequest, number: int) -> Conversation:
    conversation = visible_or_404(request, number)
    if not shown.may_tag(conversation, request.user, queries.agent_of(request.user)):
        raise PermissionDenied
    return conversation


def _changed(number: int) -> HttpResponse:
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"desk:tagged": {"number": number}})
    return response
