"""The queue-size pages: the formula at once, the replay when it is ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import supervision
from accounts.access import StaffRequest, overseers
from accounts.models import Agent, User, Website
from accounts.rights import websites_of
from reporting.exports import row_files
from reporting.reports import downloads, sheets
from reporting.reports.parameters import check, explained
from reporting.simulator import advice, history, phrasing, run_simulation
from reporting.simulator.forms import SizeForm
from reporting.simulator.model import Summary
from reporting.simulator.sizing import places_for, to_start_with

MOST_PLACES = 1_000_000
MOST_REPLAYS = 3
KNOWN = ("website", "places", *SizeForm.base_fields)
"""The parameters of these addresses. ``places`` may be repeated."""


@dataclass(frozen=True, slots=True)
class Part:
    """A website, and which of its groups the reader oversees; ``None`` means all of it."""

    website: Website
    name: str
    groups: frozenset[int] | None


def _part(website: Website, user: User) -> Part:
    supervised = supervision.of(user)
    groups = None if supervised.is_whole(website.pk) else supervised.groups_among([website.pk])
    return Part(website, supervision.named([website], supervised)[0], groups)


def _chosen(request: StaffRequest) -> tuple[list[Website], Website | None]:
    """Return what the user oversees and which website is requested. Raises ``Http404`` for any
    other website."""
    check(request.GET, KNOWN, many=("places",))
    websites = list(websites_of(request.user).order_by("name", "pk"))
    key = request.GET.get("website")
    if key is None:
        return websites, websites[0] if websites else None
    for website in websites:
        if website.key == key:
            return websites, website
    raise Http404


@dataclass(frozen=True, slots=True)
class Sizes:
    """The result of the formula for a website, or for what the reader oversees of it. ``queues``
    have their parts of the starting size and of the full size. ``workload`` is the pace of any
    history, however short; ``pace`` is the same if there is enough history, else ``None``."""

    part: Part
    history: history.History
    pace: advice.Workload | None
    workload: advice.Workload | None
    form: SizeForm
    full: int
    start: int
    queues: list[tuple[advice.Queue, int, int]]


def _sizes(request: StaffRequest, website: Website) -> Sizes:
    part = _part(website, request.user)
    played = history.read(website, at=timezone.now(), groups=part.groups)
    workload = advice.workload_of(played, website.zone)
    pace = workload if advice.is_enough(workload) else None
    queues = run_simulation.queues_of(website, played, part.groups)
    members = Agent.objects.filter(groups__steps__in=[queue.step_id for queue in queues])
    data = request.GET if SizeForm.base_fields.keys() & request.GET.keys() else None
    form = SizeForm(data, pace=pace, agents=members.distinct().count())
    # Not 0, unless it was typed: with 0 places, a queue would be a live one (C77).
    least = 0 if form.is_bound else max(len(queues), 1)
    full = max(places_for(*form.numbers()), least)
    start = max(to_start_with(full), least)
    parts, whole = advice.split(start, queues), advice.split(full, queues)
    shares = [(queue, parts[queue.step_id], whole[queue.step_id]) for queue in queues]
    return Sizes(part, played, pace, workload, form, full, start, shares)


@overseers("GET")
@explained
def queue_size(request: StaffRequest) -> HttpResponse:
    """Show how many places the queues of a website should have (R213-R215, B21)."""
    websites, website = _chosen(request)
    agent = Agent.objects.filter(user=request.user).first()
    context = {"now": timezone.now(), "tab": "reports", "agent": agent, "websites": websites}
    if website is None:
        return render(request, "reporting/simulator/page.html", context)
    sizes = _sizes(request, website)
    form = sizes.form
    totals = [sizes.start, sizes.full, *([] if form.wanted is None else [form.wanted])]
    query = urlencode([("website", website.key), *(("places", f"{total}") for total in totals)])
    given = {name: form.data[name] for name in form.fields if form.data.get(name)}
    kept_query = urlencode({"website": website.key} | given)
    return render(
        request,
        "reporting/simulator/page.html",
        context
        | {
            "website": website,
            "part": sizes.part,
            "history": sizes.history,
            "pace": sizes.pace,
            "too_little": sizes.workload if sizes.pace is None else None,
            "form": form,
            "full": sizes.full,
            "start": sizes.start,
            "today": sum(queue.places for queue, _part, _whole in sizes.queues),
            "queues": sizes.queues,
            "downloads": downloads.of_adviser(kept_query, query) if sizes.queues else [],
            "replay_url": f"{reverse('queue_size_replay')}?{query}",
        },
        status=422 if form.is_bound and not form.is_valid() else 200,
    )


@overseers("GET")
@explained
def queue_size_file(request: StaffRequest, kind: str) -> HttpResponse:
    """Return how the places are split, as CSV or XLSX."""
    _websites, website = _chosen(request)
    if website is None or kind not in row_files.KINDS:
        raise Http404
    sheet = sheets.Sheet(
        title=_("Queue size"),
        headings=[
            *(_("Rule"), _("Group"), _("Visitors")),
            *(_("Places today"), _("Starting size"), _("Full size")),
        ],
        rows=[
            [queue.rule, queue.group, round(queue.weight, 2), queue.places, part, whole]
            for queue, part, whole in _sizes(request, website).queues
        ],
    )
    return sheets.handed_over(sheet, f"queue-size-{timezone.now():%Y%m%d}", kind)


def _replays(
    request: StaffRequest,
) -> tuple[run_simulation.Simulation | None, list[tuple[str, int, Summary]]]:
    """Return the replay, if a worker has computed it, and the outcome for each number of places."""
    _websites, website = _chosen(request)
    if website is None:
        raise Http404
    totals = [_places(text) for text in request.GET.getlist("places")[:MOST_REPLAYS]]
    groups = _part(website, request.user).groups
    simulation = run_simulation.cached_or_requested(
        website, totals, at=timezone.now(), groups=groups
    )
    if simulation is None:
        return None, []
    labels = [_("Today’s places"), _("Starting size"), _("Full size"), _("Your number")]
    return simulation, list(
        zip(labels, [simulation.today, *totals], simulation.replays, strict=False)
    )


@overseers("GET")
@explained
def queue_size_replay(request: StaffRequest) -> HttpResponse:
    """Return the fragment that says what other places would have changed."""
    simulation, replays = _replays(request)
    if simulation is None:
        return render(
            request, "reporting/simulator/_in_progress.html", {"again": request.get_full_path()}
        )
    context = {
        "history": simulation,
        "query": request.GET.urlencode(),
        "really": phrasing.really(simulation.really) if simulation.really.arrived else "",
        "replays": [
            (label, total, phrasing.sentence(outcome, total)) for label, total, outcome in replays
        ],
    }
    return render(request, "reporting/simulator/_replay.html", context)


@overseers("GET")
@explained
def replay_file(request: StaffRequest, kind: str) -> HttpResponse:
    """Return the replay's numbers as CSV or XLSX; redirect to the page if they must be computed
    again."""
    if kind not in row_files.KINDS:
        raise Http404
    simulation, replays = _replays(request)
    if simulation is None:
        key = urlencode({"website": request.GET["website"]} if "website" in request.GET else {})
        return redirect(f"{reverse('queue_size')}?{key}")
    sheet = sheets.Sheet(
        title=_("Queue size"),
        headings=[
            *(_("What would have happened"), _("Places"), _("Visitors")),
            *(_("Not engaged"), _("Half waited under (s)"), _("Nine in ten under (s)")),
        ],
        rows=[
            [
                *(label, total, outcome.arrived, outcome.refused),
                _seconds(outcome.median),
                _seconds(outcome.ninth_decile),
            ]
            for label, total, outcome in [(_("Actual"), None, simulation.really), *replays]
        ],
    )
    return sheets.handed_over(sheet, f"queue-size-replay-{timezone.now():%Y%m%d}", kind)


def _seconds(length: timedelta | None) -> int | None:
    """Return seconds; ``None`` if some were still waiting at the end."""
    return None if length is None else round(length.total_seconds())


def _places(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:9]) > MOST_PLACES:
        raise Http404
    return int(text)
