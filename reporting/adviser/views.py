"""The adviser's pages: the formula at once, the replay when it is ready."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts import oversight
from accounts.access import StaffRequest, overseers
from accounts.models import Agent, User, Website
from accounts.rights import websites_of
from reporting.adviser import advice, history, playing, wording
from reporting.adviser.forms import SizeForm
from reporting.adviser.sizing import places_for, to_start_with

MOST_PLACES = 1_000_000
MOST_REPLAYS = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A website, and which of its groups the reader oversees; ``None`` where it is all of it."""

    website: Website
    name: str
    groups: frozenset[int] | None


def _part(website: Website, user: User) -> Part:
    sight = oversight.of(user)
    groups = None if sight.is_whole(website.pk) else sight.groups_among([website.pk])
    return Part(website, oversight.named([website], sight)[0], groups)


def _chosen(request: StaffRequest) -> tuple[list[Website], Website | None]:
    """What the user oversees, and which of it is asked for; a stranger's website is not there."""
    websites = list(websites_of(request.user).order_by("name", "pk"))
    key = request.GET.get("website")
    if key is None:
        return websites, websites[0] if websites else None
    for website in websites:
        if website.key == key:
            return websites, website
    raise Http404


@overseers("GET")
def queue_size(request: StaffRequest) -> HttpResponse:
    """How many places the queues of a website should have (R213-R215, B21)."""
    now = timezone.now()
    websites, website = _chosen(request)
    agent = Agent.objects.filter(user=request.user).first()
    context = {"now": now, "tab": "reports", "agent": agent, "websites": websites}
    if website is None:
        return render(request, "reporting/adviser/page.html", context)
    part = _part(website, request.user)
    played = history.read(website, at=now, groups=part.groups)
    pace = advice.pace_of(played, website.zone)
    queues = playing.queues_of(website, played, part.groups)
    members = Agent.objects.filter(groups__steps__in=[queue.step_id for queue in queues])
    data = request.GET if "agents" in request.GET else None
    form = SizeForm(data, pace=pace, agents=members.distinct().count())
    full = places_for(*form.numbers())
    start = to_start_with(full)
    parts, whole = advice.split(start, queues), advice.split(full, queues)
    totals = [start, full] if form.wanted is None else [start, full, form.wanted]
    query = [("website", website.key)] + [("places", str(total)) for total in totals]
    return render(
        request,
        "reporting/adviser/page.html",
        context
        | {
            "website": website,
            "part": part,
            "history": played,
            "pace": pace,
            "form": form,
            "full": full,
            "start": start,
            "today": sum(queue.places for queue in queues),
            "queues": [(queue, parts[queue.step_id], whole[queue.step_id]) for queue in queues],
            "replay_url": f"{reverse('queue_size_replay')}?{urlencode(query)}",
        },
        status=422 if form.is_bound and not form.is_valid() else 200,
    )


@overseers("GET")
def queue_size_replay(request: StaffRequest) -> HttpResponse:
    """The fragment that says what other places would have changed."""
    _websites, website = _chosen(request)
    if website is None:
        raise Http404
    totals = [_places(text) for text in request.GET.getlist("places")[:MOST_REPLAYS]]
    groups = _part(website, request.user).groups
    found = playing.played(website, totals, at=timezone.now(), groups=groups)
    if found is None:
        return render(request, "reporting/adviser/playing.html", {"again": request.get_full_path()})
    labels = [_("Today’s places"), _("To start with"), _("The full size"), _("Your number")]
    replays = zip(labels, [found.today, *totals], found.replays, strict=False)
    context = {
        "history": found,
        "really": wording.really(found.really) if found.really.arrived else "",
        "replays": [
            (label, total, wording.sentence(outcome, total)) for label, total, outcome in replays
        ],
    }
    return render(request, "reporting/adviser/replay.html", context)


def _places(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:9]) > MOST_PLACES:
        raise Http404
    return int(text)
