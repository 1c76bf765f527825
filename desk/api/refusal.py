"""Refusals of the domain as errors of the API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.lifecycle.transitions import Refused
from conversations.models import Conversation
from core.rejection import Rejected
from desk import refusals, search


class Refusal(APIException):
    """What the domain does not accept, with its sentence."""

    def __init__(self, text: str, code: str, status: int) -> None:
        super().__init__(text, code)
        self.status_code = status


class Explained(APIView):
    """A view that answers refusals of the domain with their sentences."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Rejected):
            exc = Refusal(exc.text, exc.code, exc.status)
        if isinstance(exc, Refused):
            text = refusals.sentence_of(self._fresh(), exc)
            exc = Refusal(text, "refused", 409)
        if isinstance(exc, search.TooMuch):
            exc = ValidationError({"q": [_("This search takes too long. Narrow it.")]})
        return super().handle_exception(exc)

    def _fresh(self) -> Conversation | None:
        user: Any = self.request.user
        seen = Conversation.objects.visible_to(user)
        return seen.filter(pk=self.kwargs["number"]).first()


def checked(request: Request, serializer: type[Any], source: str = "query_params") -> Any:
    """Return the validated values of a request's parameters; 400 for a parameter that does not
    exist, because a misspelt filter would answer more than was asked for."""
    asked = serializer(data=getattr(request, source))
    asked.is_valid(raise_exception=True)
    known = {*asked.fields, "cursor", "page_size", "format"}
    unknown = sorted(set(request.query_params) - known)
    if unknown and source == "query_params":
        raise ValidationError({name: [_("This parameter does not exist.")] for name in unknown})
    return asked.validated_data
