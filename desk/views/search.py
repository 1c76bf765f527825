"""The page of the search of conversations."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import StaffRequest, staff
from desk import queries, search
from desk.search_form import SearchForm
from desk.texts import script_texts
from desk.views.pages import bar_of


@staff("GET")
def find(request: StaffRequest) -> HttpResponse:
    """Show the results, newest first; only the next page if a script asks for it."""
    form = SearchForm(request.GET, user=request.user)
    page, is_too_much = search.Page(rows=[]), False
    if form.is_valid():
        try:
            page = search.find(form.search(), request.user)
        except search.TooMuch:
            is_too_much = True
    context = {"form": form, "page": page, "is_too_much": is_too_much, "next": _next(request, page)}
    if request.headers.get("HX-Request") == "true":
        return render(request, "desk/_search_results.html", context)
    context |= bar_of(queries.agent_of(request.user))
    context |= {"now": timezone.now(), "texts": script_texts(), "tab": "find"}
    return render(request, "desk/find.html", context)


def _next(request: StaffRequest, page: search.Page) -> str:
    """Return the query string of the next page; empty if there is none."""
    if page.before is None:
        return ""
    asked = request.GET.copy()
    asked["before"] = str(page.before)
    return asked.urlencode()
