"""The live pages: the board, and the conversations behind each of its figures."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import rights, supervision
from accounts.access import StaffRequest, overseers, zone_of
from accounts.models import Agent, Group, User, Website
from reporting.board import queries, states
from reporting.board import sheets as board_sheets
from reporting.board.scope import View
from reporting.exports import row_files
from reporting.reports import downloads, sheets
from reporting.reports.parameters import Misread, check, explained
from routing import advice

LINES = 50


class Looking(forms.Form):
    """The board's filters. The choices contain only what the user may see."""

    website = forms.ModelChoiceField(
        Website.objects.none(), label=_("Website"), empty_label=_("All websites"), required=False
    )
    group = forms.ModelChoiceField(
        Group.objects.none(), label=_("Group"), empty_label=_("All groups"), required=False
    )
    agent = forms.CharField(label=_("Agent"), required=False, max_length=100)
    page = forms.IntegerField(
        required=False, min_value=1, max_value=10_000, widget=forms.HiddenInput
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        groups = Group.objects.filter(supervision.of(user).rows(group="pk"))
        choices = {
            "website": rights.websites_of(user),
            "group": groups.select_related("website"),
        }
        for name, choice in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = choice
        self.fields["agent"].widget.attrs |= {"type": "search", "placeholder": _("Name")}
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def view(self) -> View:
        """Return the chosen filters. Raises ``Misread`` if a parameter is invalid."""
        assert isinstance(self.data, QueryDict)
        check(self.data, self.fields)
        if not self.is_valid():
            raise Misread(
                {name: list(map(str, messages)) for name, messages in self.errors.items()}
            )
        given = self.cleaned_data
        website, group = given.get("website"), given.get("group")
        return View(
            website=website and website.pk,
            group=group and group.pk,
            agent=given.get("agent") or "",
            page=given.get("page") or 1,
        )

    @property
    def query(self) -> str:
        """The query string that leads back to this view, without the page."""
        names = ("website", "group", "agent")
        return urlencode({name: self.data[name] for name in names if self._has(name)})

    @property
    def state_query(self) -> str:
        """The same for the lists of one state, which have no filter by agent."""
        names = ("website", "group")
        return urlencode({name: self.data[name] for name in names if self._has(name)})

    def _has(self, name: str) -> bool:
        return name in self.fields and bool(self.data.get(name))

    @property
    def period_query(self) -> str:
        """The same filters as the reports of a period spell them, for today."""
        chosen = {name: self.data[name] for name in ("website", "group") if self.data.get(name)}
        return urlencode({"period": "today"} | chosen)


@overseers("GET")
@explained
def production(request: StaffRequest) -> HttpResponse:
    """Show the live board; return only the figures when the page's script asks for them."""
    now, form = timezone.now(), Looking(request.GET, user=request.user)
    context = {"board": queries.board(request.user, at=now, view=form.view()), "form": form}
    if not _is_fragment(request):
        context["warnings"] = advice.for_user(request.user, at=now)
        names = ("queues", "waiting", "agents", "snoozed")
        context["downloads"] = downloads.of_board(names, form.query)
    return _live(request, "_board", "production", context)


@overseers("GET")
@explained
def state(request: StaffRequest, name: str) -> HttpResponse:
    """List the conversations that are in a state now, which the board only counts (B10, R122)."""
    known = states.STATES.get(name)
    if known is None:
        raise Http404
    form = Looking(request.GET, user=request.user)
    form.fields.pop("agent")
    page = Paginator(states.conversations_in(known, request.user, form.view()), LINES).get_page(
        request.GET.get("page")
    )
    lines = states.rows(page.object_list)
    context = {"state": known, "name": name, "form": form, "page": page, "lines": lines}
    context["downloads"] = [downloads.of_list(known.name, name, form.query)]
    return _live(request, "_state_list", "state", context)


@overseers("GET")
@explained
def board_file(request: StaffRequest, name: str, kind: str) -> HttpResponse:
    """Return a sheet of the board as CSV or XLSX: all its rows now, with the filters in force."""
    now, form = timezone.now(), Looking(request.GET, user=request.user)
    sheet = board_sheets.of_board(name, request.user, form.view(), at=now)
    if sheet is None or kind not in row_files.KINDS:
        raise Http404
    called = f"{name}-{now.astimezone(zone_of(request.user)):%Y%m%d-%H%M}"
    return sheets.handed_over(sheet, called, kind)


def _is_fragment(request: StaffRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _live(request: StaffRequest, fragment: str, page: str, context: dict[str, Any]) -> HttpResponse:
    """Render the page or its live part; answer 204 if the script already has that content."""
    context |= {
        "now": timezone.now(),
        "tab": "reports",
        "agent": Agent.objects.filter(user=request.user).first(),
    }
    name = fragment if _is_fragment(request) else page
    response = render(request, f"reporting/{name}.html", context)
    if _is_fragment(request):
        seen = sha256(response.content).hexdigest()[:16]
        if request.headers.get("X-Seen") == seen:
            response = HttpResponse(status=204)
        response["X-Seen"] = seen
    response["Cache-Control"] = "no-store"
    return response
