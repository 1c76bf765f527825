"""Canned replies: searched and used in a conversation, and edited in the library (R57, R184)."""

from __future__ import annotations

from itertools import groupby

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import StaffRequest, staff
from accounts.audit import acting
from conversations.canned import library
from conversations.lifecycle.transitions import Refused
from conversations.models import CannedReply
from core.rejection import error
from core.text.text_search import spaced
from desk import queries
from desk.canned_forms import CannedReplyForm, meanings
from desk.texts import script_texts
from desk.views.actions import visible_or_404
from desk.views.pages import bar_of

PREVIEW = 240
LISTED = 100


@staff("GET")
def search(request: StaffRequest, number: int) -> HttpResponse:
    """Return the replies that match what was typed, best first, for the list at the composer."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    query = request.GET.get("q", "")[:100]
    replies = library.search(agent, conversation, query) if agent else []
    return JsonResponse({"replies": [_option(reply) for reply in replies]})


def _option(reply: CannedReply) -> dict[str, object]:
    return {
        "id": reply.pk,
        "name": reply.name,
        "shortcut": reply.shortcut,
        "folder": reply.folder,
        "language": reply.language,
        "body": reply.body[:PREVIEW],
        "files": len(reply.files.all()),
    }


@staff("POST")
def use(request: StaffRequest, number: int, reply: int) -> HttpResponse:
    """Return a reply for this conversation: filled in, its files attached, but not sent."""
    conversation = visible_or_404(request, number)
    agent = queries.agent_of(request.user)
    if agent is None:
        return HttpResponse(status=400)
    chosen = get_object_or_404(library.usable_by(agent, conversation), pk=reply)
    try:
        inserted = library.use(chosen, conversation, agent, at=timezone.now())
    except Refused:
        text = _("This conversation is no longer on your desk. Nothing was sent.")
        return JsonResponse(error("not_on_desk", text), status=409)
    except FileNotFoundError:
        text = _("A file of this reply is missing. Remove it from the reply and add it again.")
        return JsonResponse(error("attachment", text), status=409)
    names = dict(meanings())
    missing = [names[f"{{{name}}}"] for name in inserted.missing]
    return JsonResponse(
        {"body": inserted.body, "missing": missing, "attachments": inserted.attachments}
    )


@staff("GET")
def replies(request: StaffRequest) -> HttpResponse:
    """Show the library: the replies that the user may use, by folder, and may change."""
    agent = queries.agent_of(request.user)
    query = request.GET.get("q", "").strip()[:100]
    rows = library.readable_by(request.user, agent).select_related(
        "agent", "group__website", "website"
    )
    for word in spaced(query).split():
        rows = rows.filter(words__contains=word)
    rows = rows.prefetch_related("files").order_by("folder", "name", "pk")
    page = Paginator(rows, LISTED).get_page(request.GET.get("page"))
    changeable = set(
        library.changeable_by(request.user, agent)
        .filter(pk__in=[row.pk for row in page])
        .values_list("pk", flat=True)
    )
    folders = [
        (folder, [(row, row.pk in changeable) for row in listed])
        for folder, listed in groupby(page, key=lambda row: row.folder)
    ]
    context = _context(request) | {"folders": folders, "page": page, "query": query}
    return render(request, "desk/replies.html", context)


@staff("GET", "POST")
def new_reply(request: StaffRequest) -> HttpResponse:
    return _edit(request, CannedReply())


@staff("GET", "POST")
def edit_reply(request: StaffRequest, pk: int) -> HttpResponse:
    """Edit one reply; 404 for users who may not change it."""
    return _edit(request, _changeable(request, pk))


@staff("POST")
def delete_reply(request: StaffRequest, pk: int) -> HttpResponse:
    gone = _changeable(request, pk)
    with acting(request.user):
        library.remove(gone)
    return redirect("replies")


def _changeable(request: StaffRequest, pk: int) -> CannedReply:
    agent = queries.agent_of(request.user)
    return get_object_or_404(library.changeable_by(request.user, agent), pk=pk)


def _edit(request: StaffRequest, reply: CannedReply) -> HttpResponse:
    agent = queries.agent_of(request.user)
    is_post = request.method == "POST"
    form = CannedReplyForm(
        request.POST if is_post else None,
        request.FILES if is_post else None,
        instance=reply,
        user=request.user,
        agent=agent,
    )
    if is_post and form.is_valid():
        cleaned = form.cleaned_data
        with acting(request.user):
            library.save(
                form.save(commit=False), added=cleaned["added"], removed=cleaned["removed"]
            )
        return redirect("replies")
    folders = library.readable_by(request.user, agent).exclude(folder="")
    context = _context(request) | {
        "form": form,
        "reply": reply if reply.pk else None,
        "variables": meanings(),
        "folders": list(folders.order_by("folder").values_list("folder", flat=True).distinct()),
    }
    return render(request, "desk/reply.html", context, status=422 if is_post else 200)


def _context(request: StaffRequest) -> dict[str, object]:
    now = timezone.now()
    return bar_of(queries.agent_of(request.user)) | {
        "now": now,
        "texts": script_texts(),
        "tab": "replies",
    }
