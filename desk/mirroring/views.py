"""The frame in which the visitor's page is replayed, with a policy of its own."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.access import StaffRequest, staff
from desk.mirroring.policy import policy_of
from desk.views.actions import visible_or_404

SCRIPTS = ("vendor/rrweb/replay.js", "mirror/replay.js")
# By a module, which names them without the tag of their version.
IMPORTED = ("mirror/outgoing.js", "mirror/targets.js")
STYLES = ("vendor/rrweb/style.css", "mirror/replay.css")


@xframe_options_sameorigin
@staff("GET")
def replay(request: StaffRequest, number: int) -> HttpResponse:
    """Return the frame. It contains nothing of the visitor: their page comes through the socket."""
    website = visible_or_404(request, number).website
    response = render(request, "desk/mirror.html")
    scripts = [*map(static, SCRIPTS), *(settings.STATIC_URL + name for name in IMPORTED)]
    response["Content-Security-Policy"] = policy_of(
        scripts=[request.build_absolute_uri(path) for path in scripts],
        styles=[request.build_absolute_uri(static(path)) for path in STYLES],
        pictures=website.picture_sources,
    )
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
