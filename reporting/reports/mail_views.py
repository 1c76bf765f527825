"""The views of reports by e-mail: subscribing on the report's page, unsubscribing by the mail's
link."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import StaffRequest, overseers
from reporting.models import Every, SubscribedReport
from reporting.reports import subscriptions
from reporting.reports.filters import websites_seen_by


@overseers("POST")
def subscribe(request: StaffRequest, report: str) -> HttpResponse:
    """Subscribe to a report by e-mail or end the subscription, for one website or all that the user
    oversees."""
    if report not in SubscribedReport.values:
        raise Http404
    every, website = request.POST.get("every", ""), request.POST.get("website", "")
    if website and not re.fullmatch(r"\d{1,18}", website):
        raise Http404
    mine = websites_seen_by(request.user)
    subscriptions.subscribe(
        request.user,
        SubscribedReport(report),
        Every(every) if every in Every.values else None,
        website=get_object_or_404(mine, pk=website) if website else None,
        at=timezone.now(),
    )
    query = request.POST.get("query", "")
    return redirect(f"/reports/{report}/{'?' if query else ''}{query}#by-mail")


@csrf_exempt  # The signed token is the permission; mail programs post it without a page (RFC 8058).
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, word: str) -> HttpResponse:
    """Show a confirmation on GET, because programs that scan mails follow links; unsubscribe on
    POST."""
    subscription = subscriptions.of_token(word)
    if subscription is not None and request.method == "POST":
        subscription.delete()
        subscription = None
    response = render(request, "reporting/unsubscribe.html", {"subscription": subscription})
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
