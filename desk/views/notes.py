"""Notes for the team beside a conversation, and the colleagues whom they can mention."""

from __future__ import annotations

import json

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import StaffRequest, staff
from conversations.agents import notes
from desk import queries
from desk.forms import NoteForm
from desk.views.actions import visible_or_404


@staff("POST")
def write(request: StaffRequest, number: int) -> HttpResponse:
    """Leave a note on a conversation; 422 with a sentence if it cannot be stored."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    form = NoteForm(request.POST)
    fault = ""
    if agent is None:
        fault = _("Your account has no desk. Ask an administrator for one.")
    elif not form.is_valid():
        fault = " ".join(map(str, form.errors["body"]))
    else:
        body = form.cleaned_data["body"]
        notes.write(conversation.pk, agent_id=agent.pk, body=body, at=timezone.now())
    response = HttpResponse(status=422 if fault else 204)
    context: dict[str, object] = {"number": number}
    name = "desk:unnoted" if fault else "desk:noted"
    response["HX-Trigger"] = json.dumps({name: context | ({"message": fault} if fault else {})})
    return response


@staff("GET")
def readers(request: StaffRequest, number: int) -> HttpResponse:
    """Return the names that a note can mention."""
    conversation = visible_or_404(request, number)
    others = notes.readers(conversation.pk).exclude(user=request.user).order_by("display_name")
    return JsonResponse({"names": list(others.values_list("display_name", flat=True))})
