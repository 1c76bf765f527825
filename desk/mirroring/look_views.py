"""The replay of stored looks, for managers and administrators. Each replay is recorded."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.access import StaffRequest, overseers
from conversations.mirroring import stored_looks
from desk import queries
from desk.texts import script_texts
from desk.views.pages import bar_of


@overseers("GET")
def look(request: StaffRequest, number: int) -> HttpResponse:
    """Show the player. It loads nothing before somebody plays it."""
    looks = stored_looks.replayable(request.user).select_related("agent", "conversation__visitor")
    found = get_object_or_404(looks, pk=number)
    context = bar_of(queries.agent_of(request.user)) | {
        "look": found,
        "now": timezone.now(),
        "texts": script_texts(),
        "tab": "desk",
    }
    return render(request, "desk/look.html", context)


@overseers("POST")
def frames(request: StaffRequest, number: int) -> HttpResponse:
    """Return what the agent saw, and record who replays it."""
    found = get_object_or_404(stored_looks.replayable(request.user), pk=number)
    records = stored_looks.replay(found, by=request.user, at=timezone.now())
    response = HttpResponse(b"".join(records), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    return response
