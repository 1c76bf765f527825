"""A report as an e-mail: its figures in words, a link to its page, and a link to unsubscribe."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import supervision
from accounts.models import User, Website
from reporting.figures.period import Period
from reporting.figures.scope import Scope
from reporting.models import Subscription
from reporting.reports import content, subscriptions
from reporting.reports.filters import websites_seen_by

FIGURES_BY_REPORT = {
    "experience": ("csat", "nps", "response_rate", "comments", "first_response", "resolution"),
    "conversations": ("opened", "closed", "refused", "wait", "transfers", "snoozes", "reopened"),
    "agents": ("contacts", "handled", "handle_time", "available_time", "occupancy", "adherence"),
    "calls": ("calls", "calls_answered", "calls_missed", "call_wait", "call_length", "call_loss"),
    "deflection": ("articles_answered", "bot_begun", "bot_contained", "bot_passed_on"),
    "transactions": ("transactions", "attributed", "attributed_share", "turnover", "refunds"),
}


def send_report(*, subscription_id: int, first: str, end: str) -> None:
    """Mail one report (C30, B10), limited to what its reader may see now. A reader who may see
    nothing any more, or has no address, gets no mail, and the subscription is deleted."""
    one = Subscription.objects.select_related("user", "website").filter(pk=subscription_id).first()
    if one is None:
        return
    websites = seen(one.user, one.website)
    if not websites or not one.user.email:
        one.delete()
        return
    period = Period(date.fromisoformat(first), date.fromisoformat(end))
    with translation.override(one.user.language or settings.LANGUAGE_CODE):
        _mail(one, Scope(tuple(websites), period, supervised=supervision.of(one.user))).send()


def seen(user: User, website: Website | None) -> list[Website]:
    """Return the websites that a mailed report covers: those that the user oversees now, or the
    chosen one of them."""
    if not user.is_active or not user.oversees:
        return []
    websites = websites_seen_by(user)
    return list(websites.filter(pk=website.pk) if website else websites)


def _mail(one: Subscription, scope: Scope) -> EmailMessage:
    with transaction.atomic():
        tiles = content.tiles(scope, *FIGURES_BY_REPORT[one.report])
    asked = {"period": "custom", "first": scope.period.first, "last": scope.period.last}
    if one.website_id:
        asked["website"] = str(one.website_id)
    page = f"{settings.PUBLIC_URL}{reverse(one.report)}?{urlencode(asked)}"
    out = reverse("unsubscribe_report", args=[subscriptions.token_of(one)])
    leave = f"{settings.PUBLIC_URL}{out}"
    title = one.get_report_display()
    names = supervision.named(scope.websites, scope.supervised)
    context = {"title": title, "tiles": tiles, "scope": scope, "page": page, "leave": leave}
    context["names"] = names
    context["has_changes"] = any(tile.change for tile in tiles)
    return EmailMessage(
        subject=_("%(report)s: %(websites)s") % {"report": title, "websites": ", ".join(names[:3])},
        body=render_to_string("reporting/mail.txt", context),
        to=[one.user.email],
        headers={
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
