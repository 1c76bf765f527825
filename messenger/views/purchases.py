"""The endpoint by which a brand's page reports a purchase: ``Causerie("transaction", {…})``.

Anybody who reads a page's script can make up such a report. If pay depends on it, the shop system
reports by the API as well; its report counts, whichever of the two comes first (C59).
"""

from __future__ import annotations

import hashlib
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts.models import Website
from conversations.visitors import persons
from core.rejection import Rejected
from messenger.views.visitor_request import json_of, visitor_endpoint
from reporting.models import Origin
from reporting.sales import recording
from reporting.sales.recording import Conflict, Invalid, Purchase

AN_HOUR = 3600
MOST = 60
"""The limit of purchases from one internet address in an hour; a person makes a few."""


@visitor_endpoint("POST", from_brand=True)
def sale(request: HttpRequest, website: Website) -> HttpResponse:
    """Record a purchase reported by a page of the website's domains (R63, B20).

    204 the first time and each time after it. Cookies and sessions are ignored.
    """
    _check_rate(request)
    # As texts: a float would change amounts.
    _record(website, json_of(request, None, read_number=str))
    return HttpResponse(status=204)


def _check_rate(request: HttpRequest) -> None:
    """Limit purchases by internet address, of which only a hash is stored, for an hour."""
    address = hashlib.sha256(request.META.get("REMOTE_ADDR", "").encode()).hexdigest()
    key = f"sales:{address}"
    try:
        is_over = not cache.add(key, 1, timeout=AN_HOUR) and cache.incr(key) > MOST
    except RedisError:
        return  # A purchase is worth more than its count.
    if is_over:
        raise Rejected("too_many", _("Too many purchases from this address."), 429)


def _record(website: Website, sent: dict[str, Any]) -> None:
    now = timezone.now()
    try:
        purchase = Purchase(
            _text(sent, "id"), Decimal(_text(sent, "amount")), _text(sent, "currency")
        )
        visitor = recording.customer_of(website, visitor=_text(sent, "visitor"))
        persons.check_willing(visitor)
        recording.record(website, purchase, visitor=visitor, origin=Origin.SCRIPT, at=now)
    except Conflict as conflict:
        raise Rejected("conflict", str(conflict), 409) from None
    except InvalidOperation:
        raise Rejected("invalid", _("The amount must be 0 or more."), 400) from None
    except Invalid as invalid:
        raise Rejected("invalid", str(invalid), 400) from None


def _text(sent: dict[str, Any], name: str) -> str:
    """Return a text, or a number with its digits as written; refuse anything else."""
    value = sent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Rejected("invalid", _("“%(name)s” must be text.") % {"name": name}, 400)
    return value
