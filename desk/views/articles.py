"""The articles of the agent's websites: searched and read at the desk (R185)."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from conversations.knowledge import articles as knowledge
from conversations.knowledge import finding, markdown
from conversations.models import Audience
from desk import queries
from desk.texts import script_texts
from desk.views.pages import bar_of

LISTED = 50


@staff("GET")
def articles(request: StaffRequest) -> HttpResponse:
    """List what the user may read, or what matches a search."""
    query = request.GET.get("q", "").strip()[:100]
    rows = finding.search(knowledge.readable_by(request.user), query).select_related("website")
    page = Paginator(rows.order_by("name", "pk"), LISTED).get_page(request.GET.get("page"))
    context = _context(request) | {"page": page, "query": query}
    return render(request, "desk/articles.html", context)


@staff("GET")
def article(request: StaffRequest, pk: int) -> HttpResponse:
    """Show one article; 404 for users of other websites."""
    readable = knowledge.readable_by(request.user).select_related("website")
    shown = get_object_or_404(readable, pk=pk)
    context = _context(request) | {
        "article": shown,
        "html": markdown.render(shown.body),
        "is_public": shown.audience == Audience.PUBLIC,
        "may_change": knowledge.changeable_by(request.user).filter(pk=pk).exists(),
    }
    return render(request, "desk/article.html", context)


def _context(request: StaffRequest) -> dict[str, object]:
    return bar_of(queries.agent_of(request.user)) | {
        "now": timezone.now(),
        "texts": script_texts(),
        "tab": "articles",
    }
