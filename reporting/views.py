"""The reports' pages."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import StaffRequest, overseers
from accounts.models import Agent
from reporting import queries
from routing import advice


@overseers("GET")
def production(request: StaffRequest) -> HttpResponse:
    """The live board; its figures alone where the page's script asks for them."""
    now = timezone.now()
    context = {
        "board": queries.board(request.user, at=now),
        "now": now,
        "tab": "reports",
        "agent": Agent.objects.filter(user=request.user).first(),
    }
    is_fragment = request.headers.get("HX-Request") == "true"
    if not is_fragment:
        context["warnings"] = advice.for_user(request.user, at=now)
    return render(
        request, "reporting/board.html" if is_fragment else "reporting/production.html", context
    )
