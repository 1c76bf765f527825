"""What the whole API shares: authentication, pagination and the shape of errors."""

from __future__ import annotations

from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.text.strict_json import Malformed, parse

BODY_BYTES = 256 * 1024  # Six cards with the longest texts and addresses take a quarter of it.

CODES = {
    400: "invalid",
    401: "session",
    403: "forbidden",
    404: "not_found",
    405: "method",
    406: "not_acceptable",
    409: "refused",
    413: "too_long",
    415: "media_type",
    429: "too_many",
}


class Session(SessionAuthentication):
    """The session of the desk, including its CSRF token; a request without one gets a 401."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class TooLarge(APIException):
    """The request is larger than any valid request can be."""

    status_code = 413
    default_detail = _("This request is too large.")


class Json(JSONParser):
    """Parses bodies as all other entry points do: bounded, strict and cleaned."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(BODY_BYTES + 1)
        if len(body) > BODY_BYTES:
            raise TooLarge
        try:
            return parse(body)
        except Malformed:
            raise ParseError(gettext("This JSON cannot be read.")) from None


class Pages(CursorPagination):
    """Newest first, by cursor, so that new rows shift nothing."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-pk"

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and not str(cursor.position or 0).isdecimal():
            raise NotFound(self.invalid_cursor_message)
        return cursor


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return every error in the one shape of docs/protocol.md; ``fields`` names the invalid
    ones."""
    # REST framework's views need this module while they are being imported.
    from rest_framework.views import exception_handler

    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    response = exception_handler(error, context)
    if response is None:
        return None
    payload: dict[str, Any] = {
        "code": CODES.get(response.status_code, "error"),
        "message": _sentence(response.data),
    }
    if isinstance(error, ValidationError) and isinstance(response.data, dict):
        payload["fields"] = response.data
    response.data = {"error": payload}
    return response


def _sentence(data: Any) -> str:
    """Return the first sentence of REST framework's error data, however deeply nested."""
    while isinstance(data, dict | list) and data:
        data = next(iter(data.values())) if isinstance(data, dict) else data[0]
    return str(data)
