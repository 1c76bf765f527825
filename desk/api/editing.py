"""What all rows that programs edit have in common: ETags, If-Match, and the author of a change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import ValidationError as Invalid
from django.db.models import Model
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from accounts.audit import acting
from accounts.models import User

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag that you have read. Answers 412 if somebody has changed the row since.",
)


class Changed(APIException):
    """The row is no longer the one that the client has read."""

    status_code = 412
    problem_code = "changed"


def etag_of(data: Any) -> str:
    """Return the ETag of a row as it is shown."""
    text = json.dumps(data, cls=JSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@contextmanager
def explained() -> Iterator[None]:
    """Answer what the models and the verbs refuse as a mistake in the request."""
    try:
        yield
    except Invalid as invalid:
        faults = invalid.message_dict if hasattr(invalid, "error_dict") else invalid.messages
        raise ValidationError(faults) from None


class Edited:
    """A view whose rows have ETags. Changes are made in the name of the user, in one transaction,
    and refused if ``If-Match`` names another state of the row."""

    request: Any
    get_object: Callable[[], Any]
    get_serializer: Callable[..., Any]
    filter_queryset: Callable[[Any], Any]
    get_queryset: Callable[[], Any]

    def shown(self, row: Model, status: int = 200) -> Response:
        data = self.get_serializer(row).data
        return Response(data, status=status, headers={"ETag": etag_of(data)})

    @contextmanager
    def editing(self) -> Iterator[Any]:
        """Yield the row of the address, locked and still as the client knows it."""
        with acting(cast(User, self.request.user)), explained():
            seen = self.get_object()
            # By its key alone, because the view's outer joins cannot be locked; then read again, as
            # it is by now.
            type(seen)._base_manager.select_for_update().get(pk=seen.pk)
            row = self.get_object()
            expected = self.request.headers.get("If-Match", "")
            if expected and expected != "*":
                known = {one.strip() for one in expected.split(",")}
                if etag_of(self.get_serializer(row).data) not in known:
                    raise Changed(
                        _("Someone else has changed this in the meantime. Fetch it again.")
                    )
            yield row

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Let what is added in the block be recorded as the user's."""
        with acting(cast(User, self.request.user)), explained():
            yield
