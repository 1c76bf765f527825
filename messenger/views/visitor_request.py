"""What every view of the Messenger checks first, and the one shape of its errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

import psycopg
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.request import RawPostDataException
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from redis.exceptions import RedisError

from accounts.models import Website
from core.asgi.json_body import BODY_BYTES, JSON, check_type, not_json, too_long
from core.asgi.origins import check_own, check_page_of_website
from core.rates import counters
from core.rejection import Rejected, error, unavailable, wrong_method
from core.text.strict_json import parse_object
from messenger.visitors import bearer, hash_token
from messenger.website_texts import language_among

logger = logging.getLogger(__name__)

View = Callable[Concatenate[HttpRequest, Website, ...], HttpResponseBase]


def visitor_endpoint(
    *methods: str, from_brand: bool = False, door: str = ""
) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Open a view to ``methods`` of known websites; return every error as JSON.

    The Messenger's iframe sends its requests from this host. With ``from_brand``, the pages of the
    website's domains may send them, too, and read the response (CORS). ``door`` names the view's
    rate limits. There is no CSRF token because visitors carry a bearer token, not a cookie.
    """

    def wrap(view: View) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, key: str, **parts: Any) -> HttpResponseBase:
            asked = request.headers.get("Accept-Language", "")
            website: Website | None = None
            with translation.override(language_among(asked, settings.LANGUAGE_CODE)):
                try:
                    website = _check(request, methods, key, from_brand=from_brand)
                    _count(request, website, door)
                    response = view(request, website, **parts)
                except Rejected as rejected:
                    response = _refusal(_counted(request, rejected))
                    if rejected.status == 405:
                        response["Allow"] = ", ".join(methods)
                except (OperationalError, psycopg.OperationalError, RedisError):
                    logger.warning(
                        "could not serve the Messenger, asking the client to retry", exc_info=True
                    )
                    response = _refusal(unavailable())
                    response["Retry-After"] = "2"
            # Most responses are about one visitor, and must not stay in a shared browser or a
            # proxy.
            response.headers.setdefault("Cache-Control", "no-store")
            if from_brand:
                # A page of somebody else learns nothing, not even why it was refused.
                is_foreign = website is None and response.status_code == 403
                _set_cors(response, "" if is_foreign else request.headers.get("Origin", ""))
            return response

        return guarded

    return wrap


def _check(
    request: HttpRequest, methods: tuple[str, ...], key: str, *, from_brand: bool
) -> Website:
    """Return the website of the request; ``Rejected`` if a page may not send it."""
    if request.method not in methods:
        raise wrong_method()
    if from_brand:
        website = _website_of(key)
        origin = request.headers.get("Origin", "")
        check_page_of_website(origin, request.get_host(), website.allows_host)
        return website
    # Browsers name no origin for a GET from a page of the same origin.
    if request.method == "POST":
        check_own(request.headers.get("Origin"), request.get_host())
    return _website_of(key)


def _count(request: HttpRequest, website: Website, door: str) -> None:
    """Count the request at ``door``, if it has one; raise ``TooMany`` at a limit."""
    token = bearer(request)
    counters.hit(
        door,
        visitor=hash_token(token) if token else "",
        address=request.META.get("REMOTE_ADDR", ""),
        website=website.key,
    )


def _counted(request: HttpRequest, rejected: Rejected) -> Rejected:
    """Return the rejection, or that there were too many of unknown tokens from this address."""
    if rejected.code != "token":
        return rejected
    try:
        counters.hit("tokens", address=request.META.get("REMOTE_ADDR", ""))
    except Rejected as too_many:
        return too_many
    return rejected


def _set_cors(response: HttpResponseBase, origin: str) -> None:
    """Let pages of ``origin`` ("" for none) read the response."""
    response["Vary"] = "Origin"
    if origin:
        response["Access-Control-Allow-Origin"] = origin


# Plain SQL: every request of a visitor runs it, and the ORM would compose it anew each time.
WEBSITE = "SELECT * FROM accounts_website WHERE key = %s"


def _website_of(key: str) -> Website:
    website = next(iter(Website.objects.raw(WEBSITE, [key])), None)
    if website is None:
        raise Rejected("unknown_website", _("No website has this key."), 404)
    return website


def _refusal(rejected: Rejected) -> JsonResponse:
    response = JsonResponse(error(rejected.code, rejected.text), status=rejected.status)
    if rejected.retry_after is not None:
        response["Retry-After"] = str(rejected.retry_after)
    return response


def json_of(
    request: HttpRequest,
    kind: str | None = JSON,
    *,
    read_number: Callable[[str], Any] | None = None,
) -> dict[str, Any]:
    """Return the body, of content type ``kind``, as a JSON object.

    ``Rejected`` if it is not one, or larger than any valid request. ``None`` accepts every type.
    """
    if kind is not None:
        check_type(request.headers.get("Content-Type", ""), kind)
    announced = request.headers.get("Content-Length") or "0"
    try:
        is_large = not announced.isdecimal() or int(announced) > BODY_BYTES
        body = b"" if is_large else request.body
    except RawPostDataException:  # It was a form, which has been read already.
        raise not_json() from None
    except (RequestDataTooBig, ValueError):
        is_large, body = True, b""
    if is_large or len(body) > BODY_BYTES:
        raise too_long()
    return parse_object(body, read_number=read_number)
