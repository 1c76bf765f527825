"""The door of each inbox, which its provider calls."""

from __future__ import annotations

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from conversations.models import Inbox
from core import encryption
from core.rates import counters
from core.rejection import Rejected
from messenger.channels import inbound, registry
from messenger.channels.connector import Connector, Forged, Request, Unreadable

logger = logging.getLogger(__name__)

BODY_BYTES = 1024 * 1024


@csrf_exempt  # Each connector verifies that the provider sends the request.
@require_http_methods(["GET", "POST"])
def door(request: HttpRequest, key: str) -> HttpResponse:
    """Store what a provider delivers. It gets a success only for what was committed, and repeats
    anything else."""
    response = _answer(request, key)
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, key: str) -> HttpResponse:
    inbox = Inbox.objects.select_related("website").filter(key=key, is_active=True).first()
    connector = registry.of(inbox.kind) if inbox else None
    if inbox is None or connector is None:
        return HttpResponse(status=404)
    try:
        counters.hit(
            "channels", address=request.META.get("REMOTE_ADDR", ""), website=inbox.website.key
        )
        return _let_in(inbox, connector, _read(request))
    except Forged:
        logger.warning("inbox %s: a request does not come from its provider", inbox.pk)
        return HttpResponse(status=403)
    except Unreadable:
        logger.warning("inbox %s: its provider sent what cannot be read", inbox.pk)
        return HttpResponse(status=400)
    except encryption.Unreadable:
        logger.error("inbox %s: its secret can no longer be read", inbox.pk)
        return HttpResponse(status=403)
    except Rejected as rejected:
        response = HttpResponse(status=rejected.status)
        if rejected.retry_after is not None:
            response["Retry-After"] = str(rejected.retry_after)
        return response


def _let_in(inbox: Inbox, connector: Connector, request: Request) -> HttpResponse:
    if request.method == "GET":
        return HttpResponse(connector.challenge(inbox, request), content_type="text/plain")
    connector.verify(inbox, request)
    inbound.store(inbox, connector.parse(inbox, request), at=timezone.now())
    return HttpResponse(status=200)


def _read(request: HttpRequest) -> Request:
    try:
        body = request.body
    except RequestDataTooBig:
        raise Unreadable from None
    if len(body) > BODY_BYTES:
        raise Unreadable
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method or "", headers, request.GET.dict(), body)
