"""The dialog by which an agent sends a template: a text that the provider of a channel approved."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from conversations.inboxes import templates
from conversations.models import Conversation
from core.rejection import Rejected
from desk.views.actions import visible_or_404
from desk.views.dialogs import over_the_desk
from routing.actions import by_agent


@staff("GET", "POST")
@over_the_desk
def choose(request: StaffRequest, number: int) -> HttpResponse:
    """Show the templates of the conversation's inbox, and send one."""
    conversation = visible_or_404(request, number)
    if request.method == "GET":
        return _shown(request, conversation)
    key = request.POST.get("template", "")
    values = {
        name.removeprefix("value-"): str(value)
        for name, value in request.POST.items()
        if name.startswith("value-")
    }
    try:
        by_agent.send_template(
            number,
            user=request.user,
            key=key,
            values=values,
            client_id=uuid.uuid4(),
            at=timezone.now(),
        )
    except Rejected as rejected:
        return _shown(request, conversation, key=key, values=values, error=rejected.text)
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"desk:sent": {"number": number}})
    return response


def _shown(
    request: StaffRequest,
    conversation: Conversation,
    *,
    key: str = "",
    values: dict[str, str] | None = None,
    error: str = "",
) -> HttpResponse:
    found = templates.of(conversation.inbox) if conversation.inbox else []
    given: dict[str, Any] = values or {}
    context = {
        "conversation": conversation,
        "templates": [
            (one, [(place, f"{{{{{place}}}}}", given.get(place, "")) for place in one.places])
            for one in found
        ],
        "chosen": key,
        "error": error,
    }
    return render(request, "desk/_templates.html", context, status=422 if error else 200)
