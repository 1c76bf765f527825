"""What the whole API shares: authentication, permissions, pagination and the shape of errors."""

from __future__ import annotations

from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotFound,
    ParseError,
    PermissionDenied,
    ValidationError,
)
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.models import ApiToken, User
from config.api.problems import MEDIA_TYPE, body_of
from core.db.retry import may_retry
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


class Busy(APIException):
    """Rows stayed locked for too long. Nothing was done; the request may be repeated."""

    status_code = 503
    default_detail = _("The server is busy with this. Please try again in a moment.")
    wait = 1


class WrongToken(AuthenticationFailed):
    """The token is unknown, revoked or expired, or its owner's account is inactive."""

    default_detail = _("This token is not valid.")
    problem_code = "token"


class OutOfScope(PermissionDenied):
    """The token does not permit this."""

    default_detail = _("This token does not permit this.")
    problem_code = "scope"


class ByToken(BaseAuthentication):
    """``Authorization: Bearer causerie_…``. The middleware has found the token already."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        asked: Any = request._request
        if not asked.has_token:
            return None
        if asked.api_token is None:
            raise WrongToken
        return asked.api_token.owner, asked.api_token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """Requests by a token need its permission for the view's ``noun``; a view without one is closed
    to tokens."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        noun = getattr(view, "noun", "")
        writes = request.method not in SAFE_METHODS
        if not noun or not tokens.permits(token, noun, writes=writes):
            raise OutOfScope
        return True


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
        # A forged position would reach the database as it is, and fail there.
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
    if isinstance(error, OperationalError) and may_retry(error):
        error = Busy()
    response = exception_handler(error, context)
    if response is None:
        return None
    more: dict[str, Any] = {}
    if isinstance(error, ValidationError) and isinstance(response.data, dict):
        more["fields"] = response.data
    code = _code_of(error) or CODES.get(response.status_code, "error")
    response.data = body_of(response.status_code, code, _sentence(response.data), **more)
    response.content_type = MEDIA_TYPE
    return response


def _code_of(error: Exception) -> str:
    """Return the code of an error that has one of its own."""
    code = getattr(error, "problem_code", "")
    return str(code)


def _sentence(data: Any) -> str:
    """Return the first sentence of REST framework's error data, however deeply nested."""
    while isinstance(data, dict | list) and data:
        data = next(iter(data.values())) if isinstance(data, dict) else data[0]
    return str(data)
