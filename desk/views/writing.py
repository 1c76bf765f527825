"""Texts that an agent asks a language model for, and what became of them."""

from __future__ import annotations

from django.http import Http404, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import StaffRequest, staff
from conversations.language_models import writing
from conversations.models import WritingAid, WritingKind, WritingState
from desk import queries
from desk.views.actions import visible_or_404


@staff("POST")
def ask(request: StaffRequest, number: int) -> HttpResponse:
    """Ask for a text; return its id, by which it is fetched. A worker writes it."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    kind = request.POST.get("kind", "")
    if agent is None or kind not in WritingKind.values:
        return HttpResponse(status=400)
    aid = writing.ask(
        conversation,
        agent,
        kind=WritingKind(kind),
        text=request.POST.get("text", ""),
        at=timezone.now(),
    )
    if aid is None:
        sentence = _("This is not possible here. Write something first, or reload the page.")
        return JsonResponse({"error": sentence}, status=409)
    return JsonResponse({"id": aid.pk}, status=201)


@staff("GET")
def text(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    """Return a text that this agent asked for, as far as it is."""
    aid = _own(request, number, pk)
    return JsonResponse({"state": aid.state, "text": aid.text, "sources": aid.sources})


@staff("POST")
def decided(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    """Record whether the agent has sent the text, unchanged or edited, or dropped it."""
    aid = _own(request, number, pk)
    state = request.POST.get("state", "")
    if state not in writing.DECISIONS:
        return HttpResponse(status=400)
    writing.decide(aid.pk, agent=aid.agent, state=WritingState(state), at=timezone.now())
    return HttpResponse(status=204)


def _own(request: StaffRequest, number: int, pk: int) -> WritingAid:
    conversation = visible_or_404(request, number)
    aids = WritingAid.objects.select_related("agent")
    agent = queries.agent_of(request.user)
    aid = aids.filter(pk=pk, conversation=conversation, agent=agent).first()
    if agent is None or aid is None:
        raise Http404
    return aid
