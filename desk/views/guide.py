"""The guide for agents, for logged-in users (R202, R217)."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from accounts.access import StaffRequest, staff
from desk import queries
from desk.guide import guide_in
from desk.texts import script_texts
from desk.views.pages import bar_of


@staff("GET")
def guide(request: StaffRequest) -> HttpResponse:
    """Show the guide in the reader's language."""
    context = bar_of(queries.agent_of(request.user)) | {
        "guide": guide_in((get_language() or "en")[:2]),
        "now": timezone.now(),
        "texts": script_texts(),
        "tab": "guide",
    }
    return render(request, "desk/guide.html", context)
