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
from core.asgi.endpoint import BODY_BYTES, error
from core.asgi.origins import is_own
from core.rejection import Rejected
from core.text.strict_json import parse_object
from messenger.website_texts import language_among

logger = logging.getLogger(__name__)

View = Callable[Concatenate[HttpRequest, Website, ...], HttpResponseBase]


def door(*methods: str) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Open a view to ``methods`` of known websites; return every error as JSON.

    There is no CSRF token because there is no cookie to abuse: visitors carry a bearer token.
    """

    def wrap(view: View) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, key: str, **parts: Any) -> HttpResponseBase:
            asked = request.headers.get("Accept-Language", "")
            with translation.override(language_among(asked, settings.LANGUAGE_CODE)):
                try:
                    if request.method not in methods:
                        raise Rejected("method", _("Method not allowed."), 405)
                    if request.method == "POST":
                        check_own_origin(request)
                    response = view(request, website_of(key), **parts)
                except Rejected as rejected:
                    response = refusal(rejected)
                    if rejected.status == 405:
                        response["Allow"] = ", ".join(methods)
                except (OperationalError, psycopg.OperationalError, RedisError):
                    logger.warning("the Messenger could not be served now", exc_info=True)
                    response = refusal(
                        Rejected(
                            "unavailable",
                            _("We cannot reach our server. Please try again."),
                            503,
                        )
                    )
                    response["Retry-After"] = "2"
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guarded

    return wrap


def refusal(rejected: Rejected) -> JsonResponse:
    return JsonResponse(error(rejected.code, rejected.text), status=rejected.status)


def website_of(key: str) -> Website:
    website = Website.objects.filter(key=key).first()
    if website is None:
        raise Rejected("unknown_website", _("No website has this key."), 404)
    return website


def check_own_origin(request: HttpRequest) -> None:
    """Refuse other pages: an iframe's requests come from this host, not from the brand's."""
    origin = request.headers.get("Origin")
    if origin is not None and not is_own(origin, request.get_host()):
        raise Rejected("origin", _("Requests from this page are not allowed."), 403)


def json_of(request: HttpRequest) -> dict[str, Any]:
    """Return the body as a JSON object; ``Rejected`` if it is not one, or too large."""
    if request.content_type != "application/json":
        raise Rejected("invalid", _("The request must contain JSON."), 400)
    return parse_object(body_of(request))


def body_of(request: HttpRequest) -> bytes:
    """Return the body; ``Rejected`` (413) if it is larger than any valid request."""
    announced = request.headers.get("Content-Length") or "0"
    try:
        is_large = not announced.isdecimal() or int(announced) > BODY_BYTES
        body = b"" if is_large else request.body
    except RawPostDataException:  # It was a form, which has been read already.
        raise Rejected("invalid", _("The request must contain JSON."), 400) from None
    except (RequestDataTooBig, ValueError):
        is_large, body = True, b""
    if is_large or len(body) > BODY_BYTES:
        raise Rejected("too_long", _("This message is too long."), 413)
    return body
